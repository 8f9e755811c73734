// What happened when, from the events of a run: the spans that a task run spent in each state.

import { millis } from './time'
import type { RunEvent, Status } from './types'

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
    const at = millis(event.time)!
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
