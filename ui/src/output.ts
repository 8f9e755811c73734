// Where the output of a task is: in its log; of a task that runs a job, in the tasks of the run that it started.

import { href, route } from './route'
import type { TaskSummary } from './types'

interface Place {
  to: string
  text: string
}

export const childRunOf = (type: string | undefined, task: { externalId: string | null }) => (type === 'JOB_TASK' ? task.externalId : null)

// The server decides these itself: no process runs, so there is no output.
export const isDecided = (type: string | undefined) => type === 'IF_ELSE_TASK' || type === 'DUMMY_TASK'

// null: there is none, for the task has not been started, or nothing runs for it.
export function outputOf(runKey: string, type: string | undefined, task: TaskSummary | null | undefined, repair = route.value.query.get('repair')): Place | null {
  if (task?.retryAttempt == null || isDecided(type)) return null
  const child = childRunOf(type, task)
  return child ? { to: href(['runs', child]), text: 'Open child run' }
    : { to: href(['runs', runKey], { tab: 'logs', task: task.taskKey, repair }), text: 'Open log' }
}
