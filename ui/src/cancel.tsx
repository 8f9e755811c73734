// Cancelling a run, or one task of it.

import { useState } from 'preact/hooks'
import { post } from './api'
import type { Run } from './types'
import { Dialog, Problem, closeDialog, visible } from './ui'

// `task`: its key, else all of the run.
export function CancelDialog({ run, task, onClose, onDone }: { run: Run; task?: string; onClose: () => void; onDone?: () => void }) {
  const [error, setError] = useState<unknown>(null)
  async function cancel({ currentTarget }: { currentTarget: Element }) {
    try {
      if (task === undefined) await post(`/jobRuns/${run.key}/actions/cancel`, {})
      else await post(`/jobRuns/${run.key}/actions/cancelTasks`, { taskKeys: [task] })
      onDone?.()
      closeDialog({ currentTarget })
    } catch (problem) {
      setError(problem)
    }
  }
  return (
    <Dialog title={task === undefined ? 'Cancel this run?' : `Cancel ${visible(task)}?`} onClose={onClose}>
      {task === undefined ? (
        <p>Running tasks are stopped, tasks that have not started do not start. What has succeeded stays, and the run can be repaired afterwards.</p>
      ) : (
        <p>The task alone is stopped, or never starts. The run goes on; what is behind the task goes by its own rule. It can be repaired once the run has ended.</p>
      )}
      {error !== null && <Problem error={error} />}
      <footer>
        <button type="button" onClick={closeDialog}>Let it run</button>
        <button type="button" class="danger" autoFocus onClick={cancel}>{task === undefined ? 'Cancel run' : 'Cancel task'}</button>
      </footer>
    </Dialog>
  )
}
