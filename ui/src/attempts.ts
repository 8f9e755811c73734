// The attempts of a task run: it holds the newest of them itself, others are asked for.

import { useMemo, useRef } from 'preact/hooks'
import { listAll } from './api'
import { useLive } from './live'
import type { Retry, TaskRun } from './types'

// Oldest first. `more`: how many there are before; they are read if `isAll`. While they are read again, because there is one more, they are
// as they were.
export function useAttempts(task: TaskRun | null, isAll: boolean): { attempts: Retry[]; more: number; error: Error | undefined } {
  const known = useRef<{ of: string; all: Retry[] }>({ of: '', all: [] })
  const newest = task?.retries ?? []
  const first = newest[0]?.retryNumber ?? 0
  const isAsked = isAll && first > 0
  const { data, error } = useLive<Retry[]>(`attempts ${isAsked ? `${task!.key} ${first}` : ''}`,
    (signal) => (isAsked ? listAll(`/taskRuns/${task!.key}/retries`, {}, signal) : Promise.resolve([])), { isActive: () => false })
  if (task && isAsked && data) known.current = { of: task.key, all: data }
  const all = known.current.of === task?.key ? known.current.all : []
  const attempts = useMemo(() => [...all.filter((one) => one.retryNumber < first), ...newest], [task, all])
  return { attempts, more: attempts[0]?.retryNumber ?? 0, error }
}
