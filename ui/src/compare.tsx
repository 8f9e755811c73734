// Two attempts of a run beside each other: what ran again, what was given, which definition.

import { useState } from 'preact/hooks'
import { get } from './api'
import { Difference, ParameterChanges, differs } from './difference'
import { useLive } from './live'
import { Pill } from './states'
import { duration } from './time'
import type { DefinitionDiff, ParameterChange, Repair, Run, Status } from './types'
import { Dialog, Loading, Name, Problem } from './ui'

interface Side {
  status: Status | null
  stateMessage: string | null
  executionDuration: number | null
}

interface RunDiff {
  tasks: { taskKey: string; from: Side | null; to: Side | null }[]
  keptTasks: number
  parameters: ParameterChange[]
  definition: DefinitionDiff | null
}

const title = (repair: Repair) => (repair.key === 0 ? 'Original' : `Repair ${repair.key}`)

export function CompareDialog({ run, history, repair, onClose }: { run: Run; history: Repair[]; repair: number; onClose: () => void }) {
  const [to, setTo] = useState(Math.max(1, repair))
  const [from, setFrom] = useState(Math.max(0, to - 1))
  const { data, error } = useLive<RunDiff>(`diff ${run.key} ${from} ${to} ${run.timeUpdated}`,
    (signal) => get(`/jobRuns/${run.key}/diff`, { from, to }, signal), { isActive: () => false })
  const choice = (label: string, value: number, set: (key: number) => void) => (
    <label class="inline">{label}
      <select value={value} onChange={(event) => set(Number(event.currentTarget.value))}>
        {history.map((r) => <option key={r.key} value={r.key}>{title(r)}</option>)}
      </select>
    </label>
  )
  return (
    <Dialog title="Compare two attempts" onClose={onClose} wide>
      <div class="row">{choice('From', from, setFrom)}{choice('to', to, setTo)}</div>
      {error ? <Problem error={error} /> : !data ? <Loading /> : (
        <>
          {data.parameters.length > 0 && <ParameterChanges changes={data.parameters} title="Parameters" />}
          {differs(data.definition) && <section><h3>Definition</h3><Difference diff={data.definition!} /></section>}
          {data.tasks.length > 0 && (
            <table class="plain compact">
              <caption>Tasks that are not the same</caption>
              <tbody>
                {data.tasks.map((task) => (
                  <tr key={task.taskKey}><th scope="row"><Name text={task.taskKey} /></th><td><Outcome side={task.from} /></td><td aria-label="then">→</td><td><Outcome side={task.to} /></td></tr>
                ))}
              </tbody>
            </table>
          )}
          <p class="muted">{data.keptTasks} {data.keptTasks === 1 ? 'task is' : 'tasks are'} the same.</p>
        </>
      )}
    </Dialog>
  )
}

function Outcome({ side }: { side: Side | null }) {
  if (!side) return <span class="muted">not part of it</span>
  return <><Pill status={side.status} /> {side.executionDuration !== null && <span class="muted num">{duration(side.executionDuration)}</span>}</>
}
