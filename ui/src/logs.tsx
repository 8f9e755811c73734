// The output of a task's attempts: followed while it runs, searched, coloured, whatever its size.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Ansi } from './ansi'
import { ApiError, Unreachable, call, get, url, wholeOf } from './api'
import { useAttempts } from './attempts'
import { kept } from './kept'
import { useLive } from './live'
import { LogReader } from './logread'
import { LogStore } from './logstore'
import { type LogTask, LogTasks } from './logtasks'
import { childRunOf, isDecided } from './output'
import { amend, href, route } from './route'
import { Shape, isFinal, isOwnFailure, word } from './states'
import { attemptName, duration } from './time'
import type { Run, TaskRun } from './types'
import { Empty, Finder, Key, Loading, Message, Name, Problem, useRows } from './ui'
import { useWrapped } from './wrap'

const ROW_PX = 19
const MAX_FOUND = 10_000
const NEVER_BEGAN = 'Cannot start' // how the server's reason begins
const ERROR_LINE = /\b(error|exception|traceback|fatal|panic(ked)?|critical|segmentation fault)\b|^\w*(Error|Exception)\b/i
const escapeRegExp = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

// Whether long lines go on in the next: of the reader, not of a log.
const wraps = kept('reprise.wrap', ['no', 'yes'])

type Map2 = Record<string, string>

export function Logs({ run, taskRuns, tasks }: { run: Run; taskRuns: Map2; tasks: LogTask[] }) {
  const query = route.value.query
  const asked = query.get('task')
  const first = tasks.find((t) => isOwnFailure(t.status)) ?? tasks.find((t) => t.status === 'RUNNING') ?? tasks.find((t) => t.status === 'SUCCESS') ?? tasks[0]
  const taskKey = asked && taskRuns[asked] ? asked : first?.key
  const taskRunKey = taskKey ? taskRuns[taskKey] : undefined
  if (!taskKey || !taskRunKey)
    return <Empty title="No task has run"><p>Output appears here as soon as a task of this run starts.</p></Empty>
  return (
    <div class="logs">
      <LogTasks tasks={tasks} current={taskKey} onOpen={(key) => amend({ task: key, attempt: null, stream: null })} />
      <section class="log-of" aria-labelledby="log-of">
        <h2 id="log-of"><Shape status={tasks.find((t) => t.key === taskKey)?.status} title /> <Name text={taskKey} /></h2>
        <TaskLog key={taskRunKey} taskRunKey={taskRunKey} isRunActive={!isFinal(run.state.status)} />
      </section>
    </div>
  )
}

function TaskLog({ taskRunKey, isRunActive }: { taskRunKey: string; isRunActive: boolean }) {
  const query = route.value.query
  const { data: task, error } = useLive<TaskRun>(`taskRun ${taskRunKey}`, (signal) => get(`/taskRuns/${taskRunKey}`, {}, signal),
    { isActive: (t) => !isFinal(t.state.status) && isRunActive })
  const [isEmpty, setEmpty] = useState('')
  const newest = task?.retryAttempt ?? null
  const attempt = Number(query.get('attempt') ?? newest)
  const { attempts, more, error: unread } = useAttempts(task ?? null, attempt < (task?.retries[0]?.retryNumber ?? 0))
  if (error && !task) return <Problem error={error} />
  if (!task) return <Loading />
  if (newest === null || isDecided(task.task.type))
    return (
      <Empty title={newest === null ? 'This task has not been started' : 'This task has no output: it runs no process'}>
        <p>{word(task.state.status)}: <Message text={task.state.stateMessage} /></p>
      </Empty>
    )
  const one = attempts.find((retry) => retry.retryNumber === attempt)
  if (!one && attempt < more) return unread ? <Problem error={unread} /> : <Loading />
  const shown = one ?? (attempt === newest ? task : null)
  // Who has not chosen is shown the errors of what failed; and the other stream where nothing is in that one.
  const [first, other] = isOwnFailure(task.state.status) ? ['stderr', 'stdout'] : ['stdout', 'stderr']
  const stream = query.get('stream') ?? (isEmpty === `${attempt} ${first}` ? other : first)
  const numbers = Array.from({ length: newest + 1 }, (_, i) => i)
  const child = shown && childRunOf(task.task.type, shown)
  if (child)
    return (
      <Empty title="This task runs a job">
        <p>What it writes is in the logs of the tasks of its run.</p>
        <p><a class="button" href={href(['runs', child])}>Open child run <Key value={child} /></a></p>
      </Empty>
    )
  const reason = shown?.state.stateMessage ?? ''
  return (
    <LogView key={`${attempt} ${stream}`} onEmpty={() => stream === first && setEmpty(`${attempt} ${first}`)} taskRunKey={taskRunKey} attempt={attempt} stream={stream}
      isGrowing={attempt === newest && !isFinal(task.state.status)} name={task.taskKey} nothing={reason.startsWith(NEVER_BEGAN) ? reason : ''}>
      <div class="segments" role="group" aria-label="Stream">
        {['stdout', 'stderr'].map((name) => (
          <button key={name} type="button" aria-pressed={name === stream} onClick={() => amend({ stream: name })}>{name}</button>
        ))}
      </div>
      {newest > 0 && (
        <select aria-label="Attempt" value={attempt} onChange={(event) => amend({ attempt: event.currentTarget.value })}>
          {numbers.map((n) => <option key={n} value={n}>{attemptName(n)}</option>)}
        </select>
      )}
      {one && <span class="muted nowrap">{word(one.state.status)}{one.executionDuration !== null && `, ${duration(one.executionDuration)}`}</span>}
    </LogView>
  )
}

async function* piecesOf(answer: Response) {
  const reader = answer.body!.getReader()
  try {
    for (;;) {
      const piece = await wholeOf(reader.read())
      if (piece.done) return
      yield piece.value
    }
  } finally {
    reader.cancel().catch(() => undefined) // who has enough goes away
  }
}

// Reads until the output ends: the store grows, and `version` tells that it did.
function useLog(taskRunKey: string, attempt: number, stream: string, isGrowing: boolean) {
  const store = useMemo(() => new LogStore(), [])
  const [version, setVersion] = useState(0)
  const [error, setError] = useState<unknown>(null)
  const [isComplete, setComplete] = useState(false)
  const growing = useRef(isGrowing)
  growing.current = isGrowing

  useEffect(() => {
    const stop = new AbortController()
    let pause = new AbortController() // while nobody looks, nothing is followed: see live.ts
    let frame = 0
    const seen = () => {
      if (document.visibilityState === 'hidden') pause.abort()
      else pause = new AbortController()
    }
    document.addEventListener('visibilitychange', seen)
    const changed = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0
        setVersion((v) => v + 1)
      })
    }
    const at = (offset: number, signal: AbortSignal, follow?: boolean) =>
      call(url(`/taskRuns/${taskRunKey}/logs`, { attempt, stream, offset, follow }), { signal })
    const reader = new LogReader(store, () => growing.current, async (offset, signal) => {
      const answer = await at(offset, signal, growing.current || undefined)
      return { offset: Number(answer.headers.get('x-reprise-offset') ?? offset), pieces: piecesOf(answer) }
    }, async (offset, signal) => {
      const answer = await at(offset, signal)
      await answer.body?.cancel()
      return Number(answer.headers.get('x-reprise-next-offset') ?? offset)
    })
    async function readAll() {
      while (!stop.signal.aborted) {
        const wasGrowing = growing.current
        try {
          const got = await reader.readOnce(AbortSignal.any([stop.signal, pause.signal]), changed)
          setError(null)
          if (got) continue
          if (!wasGrowing) break
          await new Promise((resolve) => setTimeout(resolve, 500))
        } catch (problem) {
          if (stop.signal.aborted) return
          if (pause.signal.aborted) {
            await new Promise((resolve) => document.addEventListener('visibilitychange', resolve, { once: true }))
            continue
          }
          setError(problem)
          if (!(problem instanceof Unreachable)) return
          await new Promise((resolve) => setTimeout(resolve, 2000)) // the server is away: go on where it stopped
        }
      }
      if (!stop.signal.aborted) setComplete(true)
    }
    readAll()
    return () => {
      stop.abort()
      cancelAnimationFrame(frame)
      document.removeEventListener('visibilitychange', seen)
    }
  }, [])
  return { store, version, error, isComplete }
}

function LogView({ taskRunKey, attempt, stream, isGrowing, name, nothing, onEmpty, children }: {
  taskRunKey: string
  attempt: number
  stream: string
  isGrowing: boolean
  name: string
  nothing: string // why there is none
  onEmpty: () => void
  children: preact.ComponentChildren
}) {
  const { store, version, error, isComplete } = useLog(taskRunKey, attempt, stream, isGrowing)
  const count = store.lines
  const rows = useRows(count, ROW_PX)
  const wrapped = useWrapped(rows.ref, count)
  const isWrapped = wraps.value === 'yes'
  const { first, last, scrollTo, atEnd } = isWrapped ? wrapped : rows
  const [follows, setFollows] = useState(isGrowing)
  const [needle, setNeedle] = useState('')
  const [found, setFound] = useState<number[] | null>(null)
  const [at, setAt] = useState(-1)
  const [marked, setMarked] = useState(-1)
  const [note, setNote] = useState('')
  const pattern = useMemo(() => (needle ? new RegExp(escapeRegExp(needle), 'i') : null), [needle])

  // Who follows stays at the end, also when lines are wrapped or no more; for others what was in sight stays in sight.
  const top = useRef<number | null>(null)
  useLayoutEffect(() => {
    if (follows) scrollTo(count)
    else if (top.current !== null) scrollTo(top.current)
    top.current = null
    if (!isWrapped) rows.onScroll()
  }, [follows, version, isWrapped])
  function toggleWrap() {
    const box = rows.ref.current
    top.current = isWrapped ? wrapped.topLine() : Math.min(count - 1, rows.first + Math.round(((box?.scrollTop ?? 0) - rows.top) / ROW_PX))
    if (marked >= first && marked < last) top.current = marked
    wraps.value = isWrapped ? 'no' : 'yes'
  }
  useEffect(() => {
    if (isComplete && !isGrowing && count === 0 && error === null) onEmpty()
  }, [isComplete])

  const searched = useRef<RegExp | null>(null)
  useEffect(() => {
    setFound(null)
    setAt(-1)
    const isNew = searched.current !== pattern
    searched.current = pattern
    if (!pattern) return
    const stop = new AbortController()
    const timer = setTimeout(async () => {
      const lines = await store.find(pattern, MAX_FOUND, 0, stop.signal)
      if (stop.signal.aborted) return
      setFound(lines)
      if (lines.length && isNew) show(lines, 0)
    }, 150)
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [pattern, store.leaps])

  function show(lines: number[], index: number) {
    setFollows(false)
    setAt(index)
    setMarked(lines[index])
    scrollTo(lines[index])
  }
  async function firstError() {
    setNote('Looking for an error…')
    const [line] = await store.find(ERROR_LINE, 1, 0, new AbortController().signal)
    if (line === undefined) return setNote(`No line looks like an error${isComplete ? '' : ' in what has been read so far'}; try the search, or ${stream === 'stderr' ? 'stdout' : 'stderr'}`)
    const number = store.numberOf(line)
    setNote(number === null ? 'The first error is behind what is left out' : `The first error is in line ${number.toLocaleString()}`)
    show([line], 0)
  }

  // The server gives it in pieces.
  async function download() {
    const parts: Blob[] = []
    let [next, got] = [0, 0]
    try {
      for (;;) {
        const answer = await call(url(`/taskRuns/${taskRunKey}/logs`, { attempt, stream, offset: next }))
        const part = await wholeOf(answer.blob())
        if (!part.size) break
        parts.push(part)
        got += part.size
        next = Number(answer.headers.get('x-reprise-next-offset') ?? next + part.size)
        setNote(`Downloading, ${size(got)}…`)
      }
      setNote(`Downloaded ${size(got)}`)
    } catch (problem) {
      return setNote(`Not downloaded: ${problem instanceof Error ? problem.message : problem}`)
    }
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob(parts, { type: 'text/plain' }))
    link.download = `${name}.${attempt}.${stream}.txt`.replace(/[^\w.-]+/g, '_')
    link.click()
    URL.revokeObjectURL(link.href)
  }

  const digits = String(count).length
  const isRefused = error instanceof ApiError // nothing more comes
  return (
    <div class="log">
      <div class="toolbar">
        {children}
        <span class="grow" />
        <button type="button" onClick={firstError}>First error</button>
        {isGrowing && <button type="button" aria-pressed={follows} onClick={() => setFollows(!follows)}>Follow</button>}
        {!isGrowing && <button type="button" onClick={() => scrollTo(count)}>End</button>}
        <button type="button" aria-pressed={isWrapped} title="Long lines go on in the next" onClick={toggleWrap}>Wrap</button>
        <button type="button" onClick={download}>Download</button>
        <Finder label="Search in the output" placeholder="Search" text={needle} onText={setNeedle}
          count={found && found.length} at={at} more={found?.length === MAX_FOUND ? '+' : ''} onStep={(to) => show(found!, to)} />
      </div>
      {error !== null && <Problem error={error} />}
      <div class={`log-lines${isWrapped ? ' wrap' : ''}`} ref={rows.ref} tabIndex={0} role="log" aria-live="off" aria-label={`${stream} of ${name}`}
        onScroll={() => {
          if (!isWrapped) rows.onScroll()
          if (follows && !atEnd()) setFollows(false)
        }}>
        {count === 0 && !isRefused && (
          <p class={`pad${nothing ? '' : ' muted'}`}>{!isComplete ? (isGrowing ? `Nothing on ${stream} yet.` : 'Reading…') : nothing ? <Message text={nothing} /> : `Nothing was written to ${stream}.`}</p>
        )}
        {isWrapped && first > 0 && <p class="log-more"><button type="button" class="small" onClick={wrapped.earlier}>Earlier lines</button></p>}
        <div style={{ height: isWrapped ? undefined : `${rows.height}px` }}>
          <div style={{ transform: isWrapped ? undefined : `translateY(${rows.top}px)` }}>
            {Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i).map((line) => (
              <div key={line} data-line={line} class={`log-line${line === marked ? ' marked' : ''}${line === store.gapLine ? ' gap' : ''}`}>
                <span class="line-number" style={{ width: `${digits + 1}ch` }} aria-hidden="true">{store.numberOf(line) ?? '·'}</span>
                <LineText text={store.line(line)} mark={pattern} />
              </div>
            ))}
          </div>
        </div>
        {isWrapped && last < count && <p class="log-more"><button type="button" class="small" onClick={wrapped.later}>Later lines</button></p>}
      </div>
      <div class="log-foot muted">
        <span class="num">{count.toLocaleString()} {count === 1 ? 'line' : 'lines'}, {size(store.length)}</span>
        {store.leftOut > 0 && <span>{size(store.leftOut)} in the middle are not shown; <b>Download</b> has them.</span>}
        <span role="status">{note}</span>
        <span>{isRefused ? 'Not read' : isGrowing ? 'Live' : isComplete ? 'Complete' : 'Reading…'}</span>
      </div>
    </div>
  )
}

// Drawn anew when it is another text, or another is searched for.
function LineText({ text, mark }: { text: string; mark: RegExp | null }) {
  return useMemo(() => <span class="line-text"><Ansi text={text} mark={mark} /></span>, [text, mark])
}

function size(bytes: number) {
  if (bytes < 1024) return `${bytes} B`
  if (bytes < 1 << 20) return `${(bytes / 1024).toFixed(1)} KiB`
  return `${(bytes / (1 << 20)).toFixed(1)} MiB`
}
