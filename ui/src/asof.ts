// A run as it was in one of its attempts. The run itself says what its newest attempt was made from; a repair may have chosen
// another definition than the attempts before it had, and other parameters.

import { useMemo } from 'preact/hooks'
import { get, isNotFound } from './api'
import { useLive } from './live'
import type { ParameterChange, Repair, Run, TaskDef, WholeVersion } from './types'

export interface AsOf {
  run: Run
  isLost: boolean // its definition is not there any more: what is known of its tasks
}

// Definitions never change: each is read once. null: gone with its job.
async function readVersion(jobKey: string, version: number, signal: AbortSignal): Promise<WholeVersion | null> {
  try {
    return await get<WholeVersion>(`/jobs/${jobKey}/versions/${version}`, {}, signal)
  } catch (error) {
    if (isNotFound(error)) return null
    throw error
  }
}

// The tasks that an attempt had: as the newest has them, by their names where that has them no more.
function knownTasks(run: Run, attempt: Repair): TaskDef[] {
  const kept = run.tasks.filter((task) => task.taskKey in attempt.taskToTaskRunMap)
  const names = new Set(kept.map((task) => task.taskKey))
  return [...kept, ...Object.keys(attempt.taskToTaskRunMap).filter((key) => !names.has(key)).map((taskKey) => ({ taskKey, type: 'task' }))]
}

function withDefinition(run: Run, attempt: Repair, definition: WholeVersion['definition']): Run {
  const { tasks, maxConcurrentRuns, timeoutSeconds } = definition as Pick<Run, 'tasks' | 'maxConcurrentRuns' | 'timeoutSeconds'>
  return { ...run, tasks: tasks ?? [], maxConcurrentRuns, timeoutSeconds, definitionVersion: attempt.definitionVersion ?? null }
}

// undefined until it is there; the run itself where that has the attempt's definition.
export function useAsOf(run: Run | undefined, attempt: Repair | undefined): { asOf: AsOf | undefined; error: Error | undefined } {
  const version = attempt?.definitionVersion
  const isOther = !!run && !!version && !!run.definitionVersion && version !== run.definitionVersion
  const { data: whole, error } = useLive<WholeVersion | null>(`as of ${run?.jobKey} ${isOther ? version : ''}`,
    (signal) => (isOther ? readVersion(run.jobKey, version, signal) : Promise.resolve(null)), { isActive: () => false })
  const asOf = useMemo(() => {
    if (!run || !attempt) return undefined
    if (!isOther) return { run, isLost: false }
    if (whole === undefined) return undefined
    return whole ? { run: withDefinition(run, attempt, whole.definition), isLost: false } : { run: { ...run, tasks: knownTasks(run, attempt) }, isLost: true }
  }, [run, attempt, isOther, whole])
  return { asOf, error }
}

// The parameters that were in effect in an attempt: those of the newest, without what has changed since.
export function useParameters(run: Run, attempt: Repair, newest: number): { parameters: Map<string, string> | undefined; error: Error | undefined } {
  const isNewest = attempt.key === newest
  const { data: changes, error } = useLive<ParameterChange[]>(`parameters of ${run.key} ${attempt.key} ${isNewest ? '' : newest}`, async (signal) =>
    (isNewest ? [] : (await get<{ parameters: ParameterChange[] }>(`/jobRuns/${run.key}/diff`, { from: attempt.key, to: newest }, signal)).parameters),
  { isActive: () => false })
  const parameters = useMemo(() => {
    if (!changes) return undefined
    const values = new Map((run.unifiedJobAndJobRunParameters ?? []).map((p) => [p.name, p.value ?? '']))
    for (const { name, old } of changes) {
      if (old === null) values.delete(name)
      else values.set(name, old)
    }
    return values
  }, [run, changes])
  return { parameters, error }
}
