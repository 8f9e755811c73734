// A notebook as it was executed: its cells and what they put out. Text is text and pictures are drawn from their
// points; HTML that a cell has made is not shown here but can be taken away as a page.

import { useEffect, useRef, useState } from 'preact/hooks'
import { post } from './api'
import { Ansi } from './ansi'
import { useLive } from './live'
import type { TaskRun } from './types'
import { Dialog, Empty, Loading, Problem } from './ui'

type Text = string | string[]

interface Output {
  output_type: string
  text?: Text
  data?: Record<string, Text>
  traceback?: string[]
}

interface Cell {
  cell_type: string
  source: Text
  execution_count?: number | null
  outputs?: Output[]
}

const MAX_CELLS = 2000
const MAX_LINES = 2000 // of one output
const join = (text: Text | undefined) => (Array.isArray(text) ? text.join('') : text ?? '')

const exported = (task: TaskRun, format: 'IPYNB' | 'HTML') =>
  post<{ contents: string }>(`/taskRuns/${task.key}/outputs/${encodeURIComponent(task.outputKey!)}/actions/export`, { format })

export function NotebookDialog({ task, onClose }: { task: TaskRun; onClose: () => void }) {
  const { data: cells, error } = useLive<Cell[]>(`notebook ${task.key} ${task.outputKey}`, async () => {
    const { cells } = JSON.parse((await exported(task, 'IPYNB')).contents)
    return Array.isArray(cells) ? cells : []
  }, { isActive: () => false })
  const [refusal, setRefusal] = useState<unknown>(null)
  async function download(format: 'IPYNB' | 'HTML') {
    try {
      const link = document.createElement('a')
      link.href = URL.createObjectURL(new Blob([(await exported(task, format)).contents], { type: 'application/octet-stream' }))
      link.download = `${task.taskKey}.${format.toLowerCase()}`.replace(/[^\w.-]+/g, '_')
      link.click()
      URL.revokeObjectURL(link.href)
    } catch (problem) {
      setRefusal(problem)
    }
  }
  return (
    <Dialog title="The notebook as it was executed" onClose={onClose} wide>
      <div class="row">
        <button type="button" onClick={() => download('HTML')}>Download as a page</button>
        <button type="button" onClick={() => download('IPYNB')}>Download the notebook</button>
      </div>
      {refusal !== null && <Problem error={refusal} />}
      {error ? <Problem error={error} /> : !cells ? <Loading /> : !cells.length ? <Empty title="It has no cells" /> : (
        <ol class="notebook">
          {cells.slice(0, MAX_CELLS).map((cell, i) => (
            <li key={i}>
              {join(cell.source) && <pre class={cell.cell_type === 'code' ? 'source' : 'prose'} tabIndex={0}>{join(cell.source)}</pre>}
              {(cell.outputs ?? []).map((output, k) => <Shown key={k} output={output} />)}
            </li>
          ))}
          {cells.length > MAX_CELLS && <li class="muted">and {cells.length - MAX_CELLS} more cells: download it</li>}
        </ol>
      )}
    </Dialog>
  )
}

function Shown({ output }: { output: Output }) {
  const { data = {} } = output
  if (data['image/png']) return <Picture base64={join(data['image/png'])} text={join(data['text/plain'])} />
  const text = output.output_type === 'error' ? (output.traceback ?? []).join('\n') : join(output.text ?? data['text/plain'])
  const html = data['text/html'] && <p class="muted">This is HTML: download the page to see it as such.</p>
  if (!text) return html || null
  const lines = text.replace(/\n$/, '').split('\n')
  return (
    <><pre class={`put-out${output.output_type === 'error' ? ' bad' : ''}`} tabIndex={0}>
      {lines.slice(0, MAX_LINES).map((line, i) => <div key={i}><Ansi text={line} mark={null} />{'\n'}</div>)}
      {lines.length > MAX_LINES && <div class="muted">and {lines.length - MAX_LINES} more lines</div>}
    </pre>{html}</>
  )
}

// The policy of the page lets no picture in from elsewhere; a canvas takes its points.
function Picture({ base64, text }: { base64: string; text: string }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [isBroken, setBroken] = useState(false)
  useEffect(() => {
    async function draw() {
      const bytes = Uint8Array.from(atob(base64.replace(/\s/g, '')), (c) => c.charCodeAt(0))
      const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
      const at = canvas.current
      if (!at) return
      at.width = bitmap.width
      at.height = bitmap.height
      at.getContext('2d')!.drawImage(bitmap, 0, 0)
    }
    draw().catch(() => setBroken(true))
  }, [base64])
  return isBroken ? <p class="muted">A picture that cannot be read.</p> : <canvas ref={canvas} role="img" aria-label={text || 'Picture'} />
}
