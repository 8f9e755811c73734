// What happened when, from the events of a run: the spans that a task run spent in each state. An event has the time at which the
// server noticed, which is later than what happened where it was away; the newest attempt has times of its own.

import type { RunEvent, Status, TaskSummary } from './types'

export interface Span {
  status: Status
  from: number
  to: number | null // null: it lasts
  attempt: number | null
  end: Status | null // the state after it
  isRetryWait: boolean
}

export interface Lane {
  taskKey: string
  taskRunKey: string
  repairKey: number
  spans: Span[]
}

export function lanes(events: RunEvent[]): Lane[] {
  const found = new Map<string, Lane>()
  for (const event of events) {
    if (!event.taskRunKey || !event.taskKey || !event.to || event.to === event.from) continue
    let lane = found.get(event.taskRunKey)
    if (!lane) {
      lane = { taskKey: event.taskKey, taskRunKey: event.taskRunKey, repairKey: event.repairKey, spans: [] }
      found.set(event.taskRunKey, lane)
    }
    const at = Date.parse(event.time)
    const last = lane.spans.at(-1)
    if (last && last.to === null) {
      last.to = at
      last.end = event.to
      last.attempt ??= event.attempt
    }
    lane.spans.push({
      status: event.to, from: at, to: null, attempt: event.attempt, end: null,
      isRetryWait: event.to === 'PENDING' && (event.from === 'RUNNING' || event.from === 'CANCELING'),
    })
  }
  return [...found.values()]
}

const isWork = ({ status }: Span) => status === 'RUNNING' || status === 'CANCELING'

// The same lane with the newest attempt from its start to its end, and what is next to it accordingly.
export function withTimes(lane: Lane, task: TaskSummary | undefined): Lane {
  if (task?.key !== lane.taskRunKey || task.retryAttempt === null) return lane
  const spans = lane.spans.map((span) => ({ ...span }))
  const first = spans.findIndex((span) => isWork(span) && span.attempt === task.retryAttempt)
  const last = spans.findLastIndex((span) => isWork(span) && span.attempt === task.retryAttempt)
  if (first < 0) return lane
  const before = spans[first - 1]
  if (task.startTime !== null) {
    spans[first].from = Math.max(task.startTime, before?.from ?? 0)
    if (before) before.to = spans[first].from
  }
  if (task.endTime !== null && spans[last].to !== null) {
    spans[last].to = Math.max(task.endTime, spans[first].from)
    spans[last].from = Math.min(spans[last].from, spans[last].to)
    if (last > first) spans[last - 1].to = spans[last].from
    if (spans[last + 1]) spans[last + 1].from = spans[last].to!
  }
  return { ...lane, spans }
}
