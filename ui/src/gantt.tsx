// When each task waited, was set up and ran; every attempt is a bar of its own.

import { useMemo } from 'preact/hooks'
import { skewMs } from './api'
import { useNow } from './live'
import { Shape, isFinal, look, word } from './states'
import { attemptName, duration, localTime } from './time'
import { type Lane, type Span, lanes, withTimes } from './timeline'
import type { RunEvent, TaskDef, TaskSummary } from './types'
import { Empty, Name, useRows } from './ui'

const ROW_PX = 30

interface Bar {
  kind: string
  tone: string
  from: number
  to: number
  isOpen: boolean // it lasts
  end: Span['status'] | 'tried again' | null // of work: what came of it
  attempt: string
}

const KINDS: Partial<Record<Span['status'], string>> = { QUEUED: 'queue', PENDING: 'setup', RUNNING: 'work', CANCELING: 'work' }

function bars(lane: Lane, now: number): Bar[] {
  const out: Bar[] = []
  for (const span of lane.spans) {
    const kind = span.isRetryWait ? 'retry' : KINDS[span.status]
    if (!kind || isFinal(span.status)) continue
    const ended = span.end && kind === 'work' ? span.end : span.status
    const failed = kind === 'work' && span.end === 'PENDING'
    out.push({
      kind, from: span.from, to: span.to ?? now, isOpen: span.to === null, tone: kind === 'work' ? (failed ? 'bad' : look(ended).tone) : 'wait',
      attempt: kind === 'work' && lane.spans.some((s) => s.isRetryWait) ? attemptName(span.attempt ?? 0) : '',
      end: kind === 'work' && span.end ? (failed ? 'tried again' : span.end) : null,
    })
  }
  return out
}

const LEGEND = [['queue', 'waits for a slot'], ['setup', 'set-up'], ['work tone-run', 'runs'], ['work tone-ok', 'succeeded'], ['work tone-bad', 'failed'],
  ['retry', 'waits to try again']]

const WHAT: Record<string, string> = { queue: 'Waited for a slot', setup: 'Was set up', retry: 'Waited to try again', work: 'Ran' }
const text = ({ kind, from, to, isOpen, end, attempt }: Bar) =>
  `${WHAT[kind]} ${attempt && `(${attempt}) `}${duration(to - from)}, ${localTime(from)} to ${isOpen ? 'now' : localTime(to)}` +
  (end ? `: ${end === 'tried again' ? end : word(end)}` : '')

export function Gantt({ tasks, taskRuns, events, repair, current, onOpen }: {
  tasks: TaskDef[]
  taskRuns: Map<string, TaskSummary>
  events: RunEvent[]
  repair: number
  current: string | null
  onOpen: (key: string) => void
}) {
  const all = useMemo(() => lanes(events), [events])
  const shown = useMemo(() => {
    const order = new Map(tasks.map((task, i) => [task.taskKey, i]))
    return all.filter((lane) => lane.repairKey === repair).sort((a, b) => (order.get(a.taskKey) ?? 0) - (order.get(b.taskKey) ?? 0))
      .map((lane) => withTimes(lane, taskRuns.get(lane.taskKey)))
  }, [all, repair, tasks, taskRuns])
  const kept = tasks.length - shown.length
  const isActive = shown.some((lane) => !isFinal(lane.spans.at(-1)?.status))
  const now = useNow(isActive) + skewMs.value
  const rows = useRows(shown.length, ROW_PX)

  const barsOf = useMemo(() => shown.map((lane) => bars(lane, now)), [shown, isActive ? now : 0])
  const [from, to] = useMemo(() => barsOf.flat().reduce(([least, most], bar) => [Math.min(least, bar.from), Math.max(most, bar.to, bar.from + 1)],
    [Infinity, -Infinity]), [barsOf])
  if (from === Infinity)
    return <Empty title="Nothing has started yet"><p>As soon as a task waits for a slot or runs, its bar stands here.</p></Empty>
  const percent = (at: number) => `${((at - from) / (to - from)) * 100}%`
  return (
    <div class="gantt">
      <div class="gantt-head">
        <span class="legend">{LEGEND.map(([look, text]) => <span key={text}><i class={`bar ${look}`} />{text}</span>)}</span>
        {kept > 0 && repair > 0 && <span class="muted">{kept} kept {kept === 1 ? 'task is' : 'tasks are'} not in this repair</span>}
      </div>
      <div class="gantt-axis" aria-hidden="true">
        {[0, 0.25, 0.5, 0.75, 1].map((part) => <span key={part}>{part ? `+${duration((to - from) * part)}` : localTime(from)}</span>)}
      </div>
      <div class="gantt-rows" ref={rows.ref} onScroll={rows.onScroll} tabIndex={0} role="group" aria-label="Tasks over time">
        <div style={{ height: `${rows.height}px` }}>
          <div style={{ transform: `translateY(${rows.top}px)` }}>
            {shown.slice(rows.first, rows.last).map((lane, i) => (
              <div key={lane.taskRunKey} class={`gantt-row${lane.taskKey === current ? ' current' : ''}`}>
                <button type="button" class="gantt-name" onClick={() => onOpen(lane.taskKey)}>
                  <Shape status={lane.spans.at(-1)?.status} title /><Name text={lane.taskKey} />
                </button>
                <div class="gantt-lane">
                  {barsOf[rows.first + i].map((bar) => (
                    <span key={bar.from + bar.kind} class={`bar ${bar.kind} tone-${bar.tone}`} title={text(bar)} role="img" aria-label={text(bar)}
                      style={{ left: percent(bar.from), width: `max(3px, calc(${percent(bar.to)} - ${percent(bar.from)}))` }}>
                      {bar.attempt}
                    </span>
                  ))}
                </div>
              </div>
            ))}
          </div>
        </div>
      </div>
    </div>
  )
}
