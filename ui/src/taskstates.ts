// Task states of many runs of a job, as far as they are looked at: a few calls at a time, newest runs first; those of
// a final run are read once.

import { useRef, useState } from 'preact/hooks'
import { list } from './api'
import type { RunSummary, TaskSummary } from './types'

const AT_ONCE = 4
const REDRAW_MS = 60

export type States = Map<string, TaskSummary>

export interface TaskStates {
  want: (shown: RunSummary[]) => void
  of: (key: string) => States | undefined
}

export function useTaskStates(): TaskStates {
  const known = useRef(new Map<string, { stamp: string; states: States }>())
  const waiting = useRef(new Set<string>())
  const wanted = useRef<RunSummary[]>([])
  const redraw = useRef(0)
  const [, setVersion] = useState(0)

  // Answers that come together are drawn together.
  function changed() {
    redraw.current ||= setTimeout(() => {
      redraw.current = 0
      setVersion((v) => v + 1)
    }, REDRAW_MS)
  }
  function pump() {
    while (waiting.current.size < AT_ONCE) {
      const run = wanted.current.findLast((r) => known.current.get(r.key)?.stamp !== r.timeUpdated && !waiting.current.has(r.key))
      if (!run) return
      waiting.current.add(run.key)
      list<TaskSummary>('/taskRuns', { jobRunKey: run.key, limit: 1000 }).then(
        ({ items }) => known.current.set(run.key, { stamp: run.timeUpdated, states: new Map(items.map((t) => [t.taskKey, t])) }),
        () => known.current.set(run.key, { stamp: run.timeUpdated, states: new Map() }), // deleted meanwhile
      ).finally(() => {
        waiting.current.delete(run.key)
        changed()
        pump()
      })
    }
  }
  return {
    want(shown) {
      wanted.current = shown
      pump()
    },
    of: (key) => known.current.get(key)?.states,
  }
}
