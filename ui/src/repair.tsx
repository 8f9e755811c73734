// Repair: choose tasks on the graph, change parameters, see the server's plan at every step, and carry out exactly
// the plan that is shown. If the run has changed meanwhile, the server refuses, and the page shows what is different.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { ApiError, get, me, post, workspaceKey } from './api'
import { draftEra, keepDraft, storedDraft } from './drafts'
import { Graph } from './graph'
import { closure } from './graphlib'
import { Difference, ParameterChanges, differs, useVersions } from './difference'
import { useLive } from './live'
import { type Pair, PairFields, ValueField } from './pair'
import { useRetryTokens } from './retry'
import { useRights } from './rights'
import { go, href, route } from './route'
import { nodeView } from './run'
import { Pill, isFinal, isUnsuccessful, word } from './states'
import { localTime } from './time'
import type { Job, Plan, PlanTask, Run, TaskDef, Version, WholeVersion } from './types'
import { Empty, Key, Loading, Message, Missing, Name, Problem, visible } from './ui'

const PAUSE_MS = 120 // of choosing, before the server is asked

const VERDICTS = {
  RUN: { text: 'run', word: 'Run', tone: 'run' },
  REEVALUATE: { text: 're-evaluate', word: 'Re-evaluate', tone: 'wait' },
  MARK: { text: 'mark', word: 'Mark as successful', tone: 'warn' },
  KEEP: { text: 'keep', word: 'Keep', tone: 'idle' },
}

export function RepairScreen({ runKey }: { runKey: string }) {
  const [asOf, setAsOf] = useState(0) // read again after a refusal
  const { data: run, error } = useLive<Run>(`repair ${runKey} ${asOf}`, (signal) => get(`/jobRuns/${encodeURIComponent(runKey)}`, {}, signal), { isActive: (r) => !isFinal(r.state.status) })
  const before = useRef<Run | undefined>(undefined)
  if (run) before.current = run
  const shown = run ?? before.current
  useEffect(() => {
    document.title = `Repair ${shown ? visible(shown.name) : ''} – Reprise`
  }, [shown?.name])
  const { mayRun, isKnown } = useRights(shown?.jobKey)
  if (!shown) return error ? <Missing error={error} what="run"><a href={href(['runs'])}>All runs</a></Missing> : <Loading />
  if (!mayRun)
    return !isKnown ? <Loading /> : (
      <div class="screen"><Empty title="You may not change this"><p>Runs are repaired by operators of a workspace, and by whom the permissions of their job name.</p><p><a href={href(['runs', runKey])}>Back to the run</a></p></Empty></div>
    )
  return <Editor key={asked().join(' ')} run={shown} onStale={() => setAsOf((n) => n + 1)} />
}

// What is different between what was shown and what is.
function differences(old: Run, now: Run): string[] {
  const found: string[] = []
  if (now.version !== old.version) {
    const by = now.repairHistory.at(-1)
    found.push(`The run has been repaired meanwhile${by?.createdByName ? ` by ${visible(by.createdByName)}` : ''}: this is its repair ${now.version - 1}`)
  }
  if (now.state.status !== old.state.status) found.push(`The run was ${word(old.state.status)}, now it is ${word(now.state.status)}`)
  const state = (run: Run, key: string) => run.taskRunSummaryMap[run.taskToTaskRunMap[key]]?.state.status
  for (const { taskKey } of now.tasks) {
    const [was, is] = [state(old, taskKey), state(now, taskKey)]
    if (was !== is) found.push(`${visible(taskKey)} was ${word(was)}, now it is ${word(is)}`)
    else if (old.taskToTaskRunMap[taskKey] !== now.taskToTaskRunMap[taskKey]) found.push(`${visible(taskKey)} ran again and is ${word(is)} as before`)
  }
  return found.length ? found : ['Something about the run changed']
}

// The tasks that the address selects.
const asked = () => route.value.query.getAll('tasks')

// What is chosen here and not confirmed: it is there again for who comes back, however the page was left.
interface Draft {
  chosen: string[]
  marked: string[]
  changes: Pair[]
  added: Pair[]
  definition: string
}

// Of each selection that the address may ask for.
function useDraft(run: Run) {
  const [name] = useState(() => [me.value.key ?? '', workspaceKey(), 'repair', run.key, ...asked()].join(' '))
  const [era] = useState(draftEra)
  const [begun] = useState(() => storedDraft<Draft>(name))
  return { begun, keep: (draft: Draft | null) => keepDraft(name, draft, era) }
}

const isSame = (one: Set<string>, other: Set<string>) => one.size === other.size && [...one].every((key) => other.has(key))

const namesOf = (run: Run) => (run.unifiedJobAndJobRunParameters ?? []).map((p) => p.name)

function Editor({ run, onStale }: { run: Run; onStale: () => void }) {
  const states = useMemo(() => new Map(Object.values(run.taskRunSummaryMap).map((t) => [t.taskKey, t])), [run])
  const preset = useMemo(() => run.tasks.map((t) => t.taskKey).filter((key) => isUnsuccessful(states.get(key)?.state.status)), [run])
  const [first] = useState<Set<string>>(() => {
    const known = asked().filter((key) => run.tasks.some((t) => t.taskKey === key))
    return new Set(known.length ? known : preset)
  })
  const { begun, keep } = useDraft(run)
  const [chosen, setChosen] = useState<Set<string>>(() => (begun ? new Set(begun.chosen) : first))
  const [marked, setMarked] = useState<Set<string>>(() => new Set(begun?.marked)) // to become successful without running
  const [changes, setChanges] = useState<Pair[]>(() => (begun?.changes ?? []).filter(({ name }) => namesOf(run).includes(name))) // of parameters that the run has
  const [added, setAdded] = useState<Pair[]>(() => [...(begun?.changes ?? []).filter(({ name }) => !namesOf(run).includes(name)), ...(begun?.added ?? [])])
  const [definition, setDefinition] = useState(begun?.definition ?? '')
  const [last, setLast] = useState<string | null>(null) // where "with upstream" starts
  const [refused, setRefused] = useState<Run | null>(null) // the run as it was when the server refused
  const [failure, setFailure] = useState<unknown>(null)
  const [isSending, setSending] = useState(false)
  const tokenOf = useRetryTokens()

  const isReady = isFinal(run.state.status)
  const versions = useVersions(run.jobKey)
  const shownTasks = useTasks(run, definition, versions)
  const tasks = useMemo(() => new Map(shownTasks.map((task) => [task.taskKey, task])), [shownTasks])
  // What the chosen definition has no more cannot be selected; its new tasks are in the plan without being selected.
  const mayMark = (key: string) => tasks.get(key)?.type !== 'IF_ELSE_TASK' && states.get(key)?.state.status !== 'SUCCESS'
  // A mark that no longer holds, since somebody else was faster or by another definition, is no wish to run the task.
  const selected = useMemo(() => [...new Set([...chosen, ...marked])].filter((key) => tasks.has(key) && (!marked.has(key) || mayMark(key))), [chosen, marked, tasks, states])
  const taken = useMemo(() => {
    const names = namesOf(run)
    return added.map(({ name }, i) => names.includes(name) || (name !== '' && added.findIndex((pair) => pair.name === name) < i))
  }, [run, added])
  const request = useMemo(() => {
    const parameters = [...changes, ...added.filter(({ name }, i) => name && !taken[i])]
    const markSuccess = selected.filter((key) => marked.has(key))
    return { taskKeys: selected, ...(markSuccess.length ? { markSuccess } : {}), ...(parameters.length ? { parameters } : {}), ...(definition ? { definition: Number(definition) || definition } : {}) }
  }, [selected, marked, changes, added, taken, definition])
  const { plan, error, isCurrent } = usePlan(run, request, isReady && selected.length > 0)

  const isChanged = changes.length > 0 || added.length > 0 || definition !== '' || marked.size > 0 || !isSame(chosen, first)
  useLayoutEffect(() => keep(isChanged ? { chosen: [...chosen], marked: [...marked], changes, added, definition } : null), [chosen, marked, changes, added, definition])
  function choose(keys: Iterable<string>) {
    setLast(null)
    setChosen(new Set(keys))
    setMarked(new Set())
  }
  function startOver() {
    choose(first)
    setChanges([])
    setAdded([])
    setDefinition('')
  }
  function toggle(key: string) {
    const isOff = chosen.has(key) || marked.has(key)
    setLast(key)
    setChosen((set) => (isOff ? without(set, key) : new Set([...set, key])))
    setMarked((set) => without(set, key))
  }
  function mark(key: string, isMarked: boolean) {
    setMarked((set) => (isMarked ? new Set([...set, key]) : without(set, key)))
    if (!isMarked) setChosen((set) => new Set([...set, key]))
  }
  const extend = (direction: 'upstream' | 'downstream') =>
    setChosen((set) => new Set([...set, ...closure(shownTasks, last && set.has(last) ? [last] : set, direction)]))

  async function confirm() {
    if (!plan) return
    setSending(true)
    setFailure(null)
    try {
      await post(`/jobRuns/${run.key}/actions/repair`, request, { 'if-match': plan.etag, 'opc-retry-token': tokenOf([request, plan.etag]) })
      keep(null)
      go(href(['runs', run.key]))
    } catch (problem) {
      setSending(false)
      if (problem instanceof ApiError && problem.status === 412) {
        setRefused(run)
        onStale()
      } else setFailure(problem)
    }
  }

  const verdicts = new Map(plan?.tasks.map((task) => [task.taskKey, task]))
  return (
    <div class="screen repair">
      <header class="run-head">
        <div class="crumbs">
          <a href={href(['jobs'])}>Jobs</a> / <a href={href(['jobs', run.jobKey])}><Name text={run.jobName ?? run.name} /></a> / <a href={href(['runs', run.key])}>run <Key value={run.key} /></a> / repair
        </div>
        <div class="title-row"><h1>Repair <Name text={run.name} /></h1><Pill status={run.state.status} big /></div>
        <p class="reason"><Message text={run.state.stateMessage} />. The run keeps its key and its history; only what the plan says runs again.</p>
      </header>
      {begun && isChanged && (
        <p class="notice row" role="status"><span>This is what you had chosen here before, and not confirmed.</span><button type="button" class="small" onClick={startOver}>Start over</button></p>
      )}
      {refused && refused !== run && (
        <div class="problem notice" role="alert">
          <strong>The run changed before your repair reached it</strong>
          <ul>{differences(refused, run).slice(0, 12).map((text) => <li key={text}>{text}</li>)}</ul>
          <span>Nothing was done. This is the plan as of now: look at it, then confirm again.</span>
        </div>
      )}
      {!isReady && (
        <div class="problem notice" role="status">
          <strong>The run is {word(run.state.status)}</strong><span>It can be repaired when it has ended. This page waits for that.</span>
        </div>
      )}
      <div class="repair-columns">
        <section class="repair-graph" aria-label="Tasks to run again">
          <div class="toolbar">
            <button type="button" onClick={() => extend('upstream')} disabled={!chosen.size}>Add upstream</button>
            <button type="button" onClick={() => extend('downstream')} disabled={!chosen.size}>Add downstream</button>
            <span class="muted hint">{last && chosen.has(last) ? <>of <Name text={last} /></> : 'of everything selected'}</span>
            <span class="grow" />
            <button type="button" onClick={() => choose(preset)}>What did not succeed</button>
            <button type="button" onClick={() => choose(tasks.keys())}>All</button>
            <button type="button" onClick={() => choose([])} disabled={!selected.length}>None</button>
          </div>
          <Graph tasks={shownTasks} chosen={new Set(selected)} onOpen={toggle} label="Tasks: choose what to run again"
            view={(key) => {
              const verdict = verdicts.get(key)
              const base = nodeView(tasks.get(key)!, states.get(key))
              return {
                ...base,
                reason: verdict?.reason ?? base.reason,
                badge: verdict && { text: VERDICTS[verdict.verdict].text, tone: VERDICTS[verdict.verdict].tone },
                isDim: verdict ? verdict.verdict === 'KEEP' : !selected.includes(key),
              }
            }} />
        </section>
        <section class="repair-plan" aria-label="Plan">
          <Parameters run={run} changes={changes} onChange={setChanges} added={added} taken={taken} onAdded={setAdded} />
          <DefinitionChoice run={run} versions={versions} value={definition} onChange={setDefinition} />
          <PlanView plan={plan} error={error} isCurrent={isCurrent} isEmpty={!selected.length} onMark={mark}
            mayMark={mayMark} onAdd={(key) => setChosen((set) => new Set([...set, ...closure(shownTasks, [key], 'downstream')]))} />
          {failure !== null && <Problem error={failure} isOnce />}
          <div class="confirm">
            <button type="button" class="primary" disabled={!plan || !isCurrent || isSending || !isReady || taken.includes(true)} onClick={confirm}>
              {isSending ? 'Asking the server…' : plan && isCurrent ? `Repair: run ${count(plan, 'RUN')}${markedCount(plan)}` : 'Repair'}
            </button>
            <a class="button" href={href(['runs', run.key])}>Back to the run</a>
          </div>
        </section>
      </div>
    </div>
  )
}

function without(set: Set<string>, key: string) {
  const next = new Set(set)
  next.delete(key)
  return next
}

const markedCount = (plan: Plan) => (count(plan, 'MARK') ? `, mark ${count(plan, 'MARK')}` : '')
const count = (plan: Plan, verdict: PlanTask['verdict']) => plan.tasks.filter((task) => task.verdict === verdict).length

// The server's plan for what is chosen now. `isCurrent` is false while a newer answer is on its way: then it is the plan before.
function usePlan(run: Run, request: object, isWanted: boolean) {
  const key = isWanted ? `${run.key} ${run.version} ${run.timeUpdated} ${JSON.stringify(request)}` : ''
  const before = useRef<Plan | undefined>(undefined)
  const { data, error } = useLive<Plan | undefined>(`plan ${key}`, async (signal) => {
    if (!isWanted) return undefined
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    signal.throwIfAborted()
    return post<Plan>(`/jobRuns/${run.key}/actions/planRepair`, request, {}, signal)
  }, { isActive: () => false })
  if (data) before.current = data
  return { plan: isWanted ? data ?? (error ? undefined : before.current) : undefined, error: data ? undefined : error, isCurrent: !!data }
}

function PlanView({ plan, error, isCurrent, isEmpty, mayMark, onMark, onAdd }: {
  plan: Plan | undefined
  error: unknown
  isCurrent: boolean
  isEmpty: boolean
  mayMark: (key: string) => boolean
  onMark: (key: string, isMarked: boolean) => void
  onAdd: (key: string) => void
}) {
  if (isEmpty) return <p class="pad muted">Nothing is selected. Choose tasks on the graph; the plan appears here.</p>
  if (error) return <Problem error={error} />
  if (!plan) return <Loading />
  const groups = (['RUN', 'REEVALUATE', 'MARK', 'KEEP'] as const).map((verdict) => [verdict, plan.tasks.filter((t) => t.verdict === verdict)] as const)
  const hazards = plan.tasks.filter((task) => task.hazards.length)
  return (
    <div class={`plan${isCurrent ? '' : ' stale'}`} aria-busy={!isCurrent}>
      <h2><span role="status">Will run {count(plan, 'RUN')}, re-evaluate {count(plan, 'REEVALUATE')}{markedCount(plan)}, keep {count(plan, 'KEEP')}</span></h2>
      {plan.parameters.length > 0 && <ParameterChanges changes={plan.parameters} title="Parameters that change" />}
      {differs(plan.definition) && (
        <details open>
          <summary>Definition: version {plan.definition.fromVersion} → {plan.definition.toVersion}</summary>
          <Difference diff={plan.definition} />
        </details>
      )}
      {hazards.length > 0 && (
        <div class="hazards">
          <h3>Take care: these are kept, though what they were made from may change</h3>
          <ul>
            {hazards.map((task) => (
              <li key={task.taskKey}>
                <strong><Name text={task.taskKey} /></strong>: {task.hazards.map(visible).join('; ')}{' '}
                <button type="button" class="small" onClick={() => onAdd(task.taskKey)}>Run it too</button>
              </li>
            ))}
          </ul>
        </div>
      )}
      {groups.map(([verdict, tasks]) => tasks.length > 0 && (
        <details key={verdict} open={verdict !== 'KEEP'}>
          <summary><span class={`badge tone-${VERDICTS[verdict].tone}`}>{VERDICTS[verdict].word}</span> {tasks.length}</summary>
          <ul class="verdicts">
            {tasks.slice(0, 200).map((task) => (
              <li key={task.taskKey}>
                <Name text={task.taskKey} /> <span class="muted">{visible(task.reason)}</span>{' '}
                {verdict !== 'KEEP' && !task.willStart && <strong class="tone-warn">Will not start. </strong>}
                {verdict === 'MARK' && <button type="button" class="small" aria-label={`Run it after all: ${visible(task.taskKey)}`} onClick={() => onMark(task.taskKey, false)}>Run it after all</button>}
                {(verdict === 'RUN' || verdict === 'REEVALUATE') && mayMark(task.taskKey) && (
                  <button type="button" class="small" title="Nothing of it runs; what is behind it goes on" aria-label={`Mark as successful: ${visible(task.taskKey)}`} onClick={() => onMark(task.taskKey, true)}>Mark as successful</button>
                )}
              </li>
            ))}
            {tasks.length > 200 && <li class="muted">and {tasks.length - 200} more</li>}
          </ul>
        </details>
      ))}
    </div>
  )
}

// Old values beside new ones; a field left as it is is not sent. What is added has rows of its own, whatever its name becomes
// while it is typed; `taken`: which of them have a name that has a field already.
function Parameters({ run, changes, onChange, added, taken, onAdded }: {
  run: Run
  changes: Pair[]
  onChange: (changes: Pair[]) => void
  added: Pair[]
  taken: boolean[]
  onAdded: (added: Pair[]) => void
}) {
  const known = run.unifiedJobAndJobRunParameters ?? []
  const jobs = useJobsNames(run.jobKey, added.length > 0)
  const set = (name: string, value: string, old: string) =>
    onChange([...changes.filter((c) => c.name !== name), ...(value === old ? [] : [{ name, value }])])
  return (
    <fieldset class="parameters">
      <legend>Parameters</legend>
      {!known.length && !added.length && <p class="muted">This run has none.</p>}
      {known.map(({ name, value }) => {
        const change = changes.find((c) => c.name === name)
        return (
          <label key={name} class={change ? 'changed' : ''}>
            <span><Name text={name} />{change && <span class="muted"> was <code>{visible(value ?? '') || 'empty'}</code></span>}</span>
            <ValueField value={change?.value ?? value ?? ''} data-parameter={name} onValue={(text) => set(name, text, value ?? '')} />
          </label>
        )
      })}
      {added.map((pair, i) => (
        <PairFields key={i} pair={pair} names={jobs && [...namesOf(run), ...jobs]} isTaken={taken[i]} whose="The run, like its job,"
          onChange={(changed) => onAdded(added.map((p, j) => (i === j ? changed : p)))} onRemove={() => onAdded(added.filter((_, j) => i !== j))} />
      ))}
      <button type="button" class="small" onClick={() => onAdded([...added, { name: '', value: '' }])}>Add a parameter</button>
    </fieldset>
  )
}

// Names of the parameters that the job has now, which a repair may use; null until they are there.
function useJobsNames(jobKey: string, isWanted: boolean): string[] | null {
  const { data } = useLive<string[] | null>(`names ${jobKey} ${isWanted}`, async (signal) =>
    (isWanted ? (await get<Job>(`/jobs/${jobKey}`, {}, signal).catch(() => null))?.parameters.map((p) => p.name) ?? [] : null), { isActive: () => false })
  return data ?? null
}

// Which definition the repair uses: that of an attempt, the job's own, or any version. Offered where the server has them.
function DefinitionChoice({ run, versions, value, onChange }: {
  run: Run
  versions: Version[] | null
  value: string
  onChange: (value: string) => void
}) {
  if (!versions) return null
  const newest = run.repairHistory.at(-1)?.definitionVersion ?? run.definitionVersion
  return (
    <label class="field">Definition
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">As in the newest attempt (version {newest})</option>
        <option value="ORIGINAL">As in the original (version {run.repairHistory[0]?.definitionVersion ?? run.definitionVersion})</option>
        <option value="CURRENT">The job as it is now (version {versions.find((v) => v.isCurrent)?.version ?? '?'})</option>
        {versions.map((v) => (
          <option key={v.version} value={v.version}>Version {v.version}{v.timeCreated ? `, ${localTime(Date.parse(v.timeCreated))}` : ''}</option>
        ))}
      </select>
    </label>
  )
}

// The tasks of the definition that is chosen; the run's own until they are there.
function useTasks(run: Run, definition: string, versions: Version[] | null): TaskDef[] {
  const version = definition === 'CURRENT' ? versions?.find((v) => v.isCurrent)?.version
    : definition === 'ORIGINAL' ? run.repairHistory[0]?.definitionVersion : definition ? Number(definition) : undefined
  const { data } = useLive<WholeVersion | null>(`tasks ${run.jobKey} ${version ?? ''}`,
    (signal) => (version ? get(`/jobs/${run.jobKey}/versions/${version}`, {}, signal) : Promise.resolve(null)), { isActive: () => false })
  return version && data ? data.definition.tasks ?? [] : run.tasks
}
