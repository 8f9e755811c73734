// A run: what state it is in and why, its tasks as graph, over time and as a list, its output, what it was given.

import type { ComponentChildren } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { ApiError, get, list, listAll } from './api'
import { useAsOf } from './asof'
import { CancelDialog } from './cancel'
import { CompareDialog } from './compare'
import { FindTask } from './findtask'
import { Gantt } from './gantt'
import { Graph, type NodeView } from './graph'
import { POLL_MS, SLOW_MS, useLive } from './live'
import { Logs } from './logs'
import { outputOf } from './output'
import { useRights } from './rights'
import { amend, go, href, route } from './route'
import { StartDialog } from './runlist'
import { ParametersTab, DefinitionTab, EventsTab } from './runtabs'
import { Pill, Shape, isFinal, isOwnFailure, isUnsuccessful, word } from './states'
import { TaskPanel } from './taskpanel'
import { Planned, Time, Took, attemptName, duration } from './time'
import type { CampaignSummary, Job, PlannedRun, Repair, Run, RunEvent, Status, TaskDef, TaskSummary } from './types'
import { Dialog, Key, Loading, Message, Missing, Name, Problem, Table, Tabs, closeDialog, visible, visibleOutput } from './ui'

const TABS: [string, string][] = [
  ['graph', 'Graph'], ['gantt', 'Gantt'], ['tasks', 'Tasks'], ['logs', 'Logs'], ['parameters', 'Parameters'],
  ['events', 'Events'], ['definition', 'Definition'],
]

// ---- data ----

// Events are asked for where they are shown, from the last one on; a run keeps its own list. Those before while newer ones are read.
function useEvents(run: Run | undefined, isWanted: boolean): { events: RunEvent[] | undefined; error: Error | undefined } {
  const known = useRef<RunEvent[] | undefined>(undefined)
  const { error } = useLive<RunEvent[] | undefined>(`events ${isWanted && run ? `${run.key} ${run.timeUpdated}` : ''}`, async (signal) => {
    if (!run || !isWanted) return undefined
    let items = known.current ?? []
    for (;;) {
      const page = await list<RunEvent>(`/jobRuns/${run.key}/events`, { after: items.at(-1)?.id ?? 0, limit: 1000 }, signal)
      items = [...items, ...page.items]
      if (page.items.length < 1000) break
    }
    return (known.current = items)
  }, { isActive: () => false })
  return { events: known.current, error }
}

// All attempts of a run; the run itself holds the original and the newest nine. What has ended stays as it is.
function useHistory(run: Run | undefined): { history: Repair[]; isWhole: boolean; error: Error | undefined } {
  const known = useRef<Repair[]>([])
  const isCut = run !== undefined && run.version > run.repairHistory.length
  const { data, error } = useLive<Repair[]>(`attempts of ${isCut ? `${run.key} ${run.version}` : ''}`,
    (signal) => (isCut ? listAll(`/jobRuns/${run.key}/repairHistory`, { limit: 100 }, signal) : Promise.resolve([])), { isActive: () => false })
  if (data) known.current = data
  const history = useMemo(() => {
    const embedded = run?.repairHistory ?? []
    const keys = new Set(embedded.map((r) => r.key))
    return [...known.current.filter((r) => !keys.has(r.key)), ...embedded].sort((a, b) => a.key - b.key)
  }, [run, data])
  return { history, isWhole: run === undefined || history.length >= run.version, error }
}

// For which time of its schedule it stands, and the newest campaign that asked for it or for a repair of it, while that is there.
function useOrigin(run: Run): { plan?: PlannedRun; campaign?: CampaignSummary | null } {
  const isAsked = run.launched === 'SCHEDULED'
  const { data } = useLive(`origin of ${run.key} ${run.version}`, async (signal) => {
    if (!isAsked) return {}
    const [plan] = (await list<PlannedRun>('/plannedRuns', { jobRunKey: [run.key], withCampaign: true }, signal)).items
    const key = plan?.campaignKey
    return { plan, campaign: key ? await get<CampaignSummary>(`/rerunCampaigns/${key}`, { limit: 1 }, signal).catch(() => null) : null }
  }, { isActive: () => false })
  return data ?? {}
}

// The task runs as of one repair; undefined until they are there.
function useTaskRuns(run: Run | undefined, repair: number, newest: number): { taskRuns: Map<string, TaskSummary> | undefined; error: Error | undefined } {
  const isOlder = run !== undefined && repair !== newest
  const { data: older, error } = useLive<TaskSummary[]>(`tasks of ${isOlder ? `${run.key} ${repair}` : ''}`,
    (signal) => (isOlder ? listAll('/taskRuns', { jobRunKey: run.key, repairKey: repair }, signal) : Promise.resolve([])), { isActive: () => false })
  const taskRuns = useMemo(() => {
    const items = isOlder ? older : run && Object.values(run.taskRunSummaryMap)
    return items && new Map(items.map((item) => [item.taskKey, item]))
  }, [run, isOlder, older])
  return { taskRuns, error: isOlder ? error : undefined }
}

// ---- the screen ----

export function RunScreen({ runKey }: { runKey: string }) {
  // Its own stream ends with it, the workspace's does not: somebody may repair it.
  const { data: run, error, refresh } = useLive<Run>(`run ${runKey}`, (signal) => get(`/jobRuns/${encodeURIComponent(runKey)}`, {}, signal),
    { stream: '/events', streamQuery: { jobRunKey: runKey }, every: (r) => (isFinal(r.state.status) ? SLOW_MS : POLL_MS) })
  const { events, error: unheard } = useEvents(run, ['gantt', 'events'].includes(route.value.query.get('tab') ?? ''))
  const { history, isWhole, error: untold } = useHistory(run)
  const newest = history.at(-1)?.key ?? 0
  const asked = route.value.query.get('repair')
  const repair = asked !== null && (!isWhole || history.some((r) => r.key === Number(asked))) ? Number(asked) : newest
  const chosen = history.find((r) => r.key === repair)
  const { taskRuns, error: unseen } = useTaskRuns(run, repair, newest)
  const problem = error ?? untold ?? unseen ?? unheard
  const { asOf, error: unread } = useAsOf(run, chosen)
  const { mayRun } = useRights(run?.jobKey)
  const [centre, setCentre] = useState<{ key: string } | null>(null)

  useEffect(() => {
    if (run) document.title = `${word(run.state.status)}: ${visible(run.name)} – Reprise`
  }, [run?.state.status, run?.name])

  if (!run) return error ? <Missing error={error} what="run"><a href={href(['runs'])}>All runs</a></Missing> : <Loading />
  return (
    <div class="screen run">
      <Header run={run} history={history} repair={repair} newest={newest} mayRun={mayRun} onChanged={refresh} />
      {problem && <Problem error={problem} />}
      {!asOf || !chosen ? (unread ? <Problem error={unread} /> : <Loading />) : (
        <>
          <Failure run={asOf.run} attempt={chosen} taskRuns={taskRuns} isNewest={repair === newest} onShow={(key) => setCentre({ key })} />
          {asOf.isLost && <p class="notice warn" role="status">This attempt was made from version {chosen.definitionVersion}, which went with the job. Its tasks are shown as the newest attempt has them; of those that it has no more, only the names are known.</p>}
          <Body run={asOf.run} isLost={asOf.isLost} events={events} mayRun={mayRun} attempt={chosen} history={history} taskRuns={taskRuns} centre={centre}
            onShow={(key) => (setCentre({ key }), amend({ task: key }))} />
        </>
      )}
    </div>
  )
}

function Header({ run, history, repair, newest, mayRun, onChanged }: {
  run: Run
  history: Repair[]
  repair: number
  newest: number
  mayRun: boolean
  onChanged: () => void
}) {
  const { plan, campaign } = useOrigin(run)
  const isActive = !isFinal(run.state.status)
  const shown = history.find((r) => r.key === repair)
  const isNewest = repair === newest
  const state = isNewest ? run.state : (shown?.state ?? run.state)
  const [asksCancel, setAsksCancel] = useState(false)
  const [compares, setCompares] = useState(false)
  const queued = (shown?.startTime ?? null) === null ? null : shown!.startTime! - (Date.parse(shown!.timeCreated ?? '') || shown!.startTime!)
  return (
    <header class="run-head">
      <div class="crumbs">
        <a href={href(['jobs'])}>Jobs</a> / <a href={href(['jobs', run.jobKey])}><Name text={run.jobName ?? run.name} /></a> / run <Key value={run.key} />
      </div>
      <div class="title-row">
        <h1><Name text={run.name} /></h1>
        <Pill status={state.status} big />
        <span class="grow" />
        {mayRun && (isActive
          ? <button type="button" class="danger" onClick={() => setAsksCancel(true)}>Cancel run</button>
          : <><RunAgain run={run} /><a class={`button${isUnsuccessful(run.state.status) ? ' primary' : ''}`} data-key="r" title="Repair (r)" href={href(['runs', run.key, 'repair'])}>Repair…</a></>)}
      </div>
      {state.stateMessage !== word(state.status) && <p class="reason"><Message text={state.stateMessage} /></p>}
      <dl class="facts">
        <div><dt>Launched</dt><dd>{run.launched === 'SCHEDULED' ? 'By its schedule' : `By hand, by ${run.createdByName ?? 'somebody'}`}</dd></div>
        {plan && <div><dt>Planned for</dt><dd><Planned at={plan.plannedTime} zone={plan.schedule?.timezoneId} /></dd></div>}
        {campaign && <div><dt>Campaign</dt><dd><a href={href(['campaigns', campaign.key])}><Name text={campaign.name} /></a></dd></div>}
        <div><dt>{repair > 0 ? 'Repair began' : 'Started'}</dt><dd><Time at={shown?.startTime ?? null} none={isFinal(state.status) ? 'Never' : 'Not yet'} /></dd></div>
        {queued !== null && queued > 999 && <div><dt>Queued</dt><dd class="num">{duration(queued)}</dd></div>}
        {isNewest && (run.setupDuration ?? 0) > 0 && <div><dt>Set-up</dt><dd class="num">{duration(run.setupDuration)}</dd></div>}
        <div>
          <dt>Execution</dt>
          <dd>{shown?.endTime == null && isActive && isNewest
            ? <Took from={shown?.startTime} to={null} isActive /> : <span class="num">{duration(shown?.executionDuration)}</span>}</dd>
        </div>
        {isNewest && (run.cleanupDuration ?? 0) > 0 && <div><dt>Clean-up</dt><dd class="num">{duration(run.cleanupDuration)}</dd></div>}
        {history.length > 1 && <div><dt>All attempts</dt><dd class="num">{duration(run.runDuration)}</dd></div>}
        {run.parentJobRunKey && <div><dt>Child of</dt><dd><a href={href(['runs', run.parentJobRunKey])}>run <Key value={run.parentJobRunKey} /></a></dd></div>}
      </dl>
      {history.length > 1 && (
        <div class="row wrap"><div class="segments history" role="group" aria-label="Attempts of this run">
          {history.map((r) => (
            <button key={r.key} type="button" aria-pressed={r.key === repair} onClick={() => amend({ repair: r.key === newest ? null : r.key, attempt: null, stream: null })}>
              <Shape status={r.state.status} title />{r.key === 0 ? 'Original' : `Repair ${r.key}`}
            </button>
          ))}
        </div><button type="button" onClick={() => setCompares(true)}>Compare…</button></div>
      )}
      {compares && <CompareDialog run={run} history={history} repair={repair} onClose={() => setCompares(false)} />}
      {asksCancel && <CancelDialog run={run} onClose={() => setAsksCancel(false)} onDone={onChanged} />}
    </header>
  )
}

// Another run of its job as that is now, with what this one was given.
function RunAgain({ run }: { run: Run }) {
  const [job, setJob] = useState<Job | null>(null)
  const [problem, setProblem] = useState<unknown>(null)
  async function start() {
    setProblem(null)
    await get<Job>(`/jobs/${run.jobKey}`).then(setJob, setProblem)
  }
  return (
    <>
      <button type="button" title="A new run of the job as it is now, with this run's parameters" onClick={start}>Run again…</button>
      {job && <StartDialog job={job} given={run.parameters} onClose={() => setJob(null)} />}
      {problem !== null && <RunAgainRefused problem={problem} onClose={() => setProblem(null)} />}
    </>
  )
}

function RunAgainRefused({ problem, onClose }: { problem: unknown; onClose: () => void }) {
  return (
    <Dialog title="It cannot run again" onClose={onClose}>
      {problem instanceof ApiError && problem.status === 404 ? <p>Its job was deleted. The run itself can still be repaired.</p> : <Problem error={problem} />}
      <footer><button type="button" onClick={closeDialog}>Close</button></footer>
    </Dialog>
  )
}

const OTHERS_SHOWN = 5

// What failed by itself, first what failed first. What ended without an attempt has no time: it is mostly a consequence.
const failuresOf = (taskRuns: Iterable<TaskSummary>) =>
  [...taskRuns].filter((t) => isOwnFailure(t.state.status)).sort((a, b) => (a.endTime ?? Infinity) - (b.endTime ?? Infinity))

// The first thing that went wrong, in its own words, and what else did.
function Failure({ run, attempt, taskRuns, isNewest, onShow }: {
  run: Run
  attempt: Repair
  taskRuns: Map<string, TaskSummary> | undefined
  isNewest: boolean
  onShow: (taskKey: string) => void
}) {
  // A run may have succeeded all the same, when what failed was expected to.
  if (!isFinal(attempt.state.status) || !taskRuns) return null
  const [failed, ...others] = failuresOf(taskRuns.values())
  if (!failed) return null
  const repair = isNewest ? null : attempt.key
  const output = outputOf(run.key, run.tasks.find((t) => t.taskKey === failed.taskKey)?.type, failed)
  const shown = others.slice(0, OTHERS_SHOWN)
  const inGraph = (task: TaskSummary, shown: ComponentChildren) => (
    <a key={task.key} href={href(['runs', run.key], { task: task.taskKey, repair })} onClick={() => onShow(task.taskKey)}>{shown}</a>
  )
  const trace = visibleOutput(failed.state.errorTrace ?? '').trimEnd()
  const last = trace.slice(trace.lastIndexOf('\n') + 1)
  return (
    <section class="failure" aria-label="What went wrong">
      <div class="failure-line">
        <Shape status={failed.state.status} size={16} />
        <strong>{inGraph(failed, <Name text={failed.taskKey} />)}</strong>
        <span class="failure-text"><code>{last || visible(failed.state.stateMessage || word(failed.state.status))}</code></span>
        <span class="grow" />
        {output && <a class="button" href={output.to}>{output.text}</a>}
      </div>
      {shown.length > 0 && (
        <p class="failure-others">
          <span>Also:</span>
          {shown.map((task) => inGraph(task, <><Shape status={task.state.status} title /> <Name text={task.taskKey} /></>))}
          {others.length > shown.length && <a href={href(['runs', run.key], { tab: 'tasks', repair })}>and {others.length - shown.length} more</a>}
        </p>
      )}
      {trace.includes('\n') && (
        <details><summary>Traceback</summary><pre tabIndex={0}>{trace}</pre></details>
      )}
    </section>
  )
}

export function nodeView(task: TaskDef, summary: TaskSummary | undefined): NodeView {
  const status = summary?.state.status ?? null
  const kind = TYPE_WORDS[task.type] ?? task.type
  const took = summary?.startTime && summary.endTime ? duration(summary.endTime - summary.startTime) : null
  const tries = summary?.retryAttempt ? attemptName(summary.retryAttempt) : ''
  return { status, detail: took ? (tries ? `${tries} · ${took}` : `${took} · ${kind}`) : `${tries && `${tries} · `}${word(status)}`, reason: summary?.state.stateMessage ?? '' }
}

// What a repair ran again, and what it kept.
function repairBadge(history: Repair[], repair: number, taskKey: string, summary: TaskSummary | undefined): NodeView['badge'] {
  const at = history.findIndex((r) => r.key === repair)
  const taskRun = history[at]?.taskToTaskRunMap[taskKey]
  if (at < 1 || !taskRun) return undefined
  const before = history[at - 1].taskToTaskRunMap[taskKey]
  if (!before) return { text: 'new', tone: 'run', title: 'New in this repair' }
  return taskRun === before ? { text: 'kept', tone: 'idle', title: 'Kept by this repair' }
    : { text: 'again', tone: 'run', title: summary?.retryAttempt == null ? 'Decided again in this repair' : 'Ran again in this repair' }
}

export const TYPE_WORDS: Record<string, string> = {
  PYTHON_TASK: 'Python', NOTEBOOK_TASK: 'notebook', SPARK_SUBMIT_TASK: 'Spark', JAR_TASK: 'JAR', IF_ELSE_TASK: 'if/else', JOB_TASK: 'job',
  SHELL_TASK: 'shell', HTTP_TASK: 'HTTP', PATH_TASK: 'path', DUMMY_TASK: 'dummy',
}

const FOUND_AT_ONCE = 10 // tasks; of more one is searched for
const UNREAD: NodeView = { status: null, detail: 'Loading…', reason: '' }
const NO_TASK_RUNS = new Map<string, TaskSummary>()

// `run`: as it was in that attempt.
function Body({ run, isLost, events, mayRun, attempt, history, taskRuns: known, centre, onShow }: {
  run: Run
  isLost: boolean
  mayRun: boolean
  events: RunEvent[] | undefined // not read yet, as the task runs
  attempt: Repair
  history: Repair[]
  taskRuns: Map<string, TaskSummary> | undefined
  centre: { key: string } | null
  onShow: (taskKey: string) => void
}) {
  const query = route.value.query
  const taskRuns = known ?? NO_TASK_RUNS
  const repair = attempt.key
  const newest = history.at(-1)?.key ?? 0
  const tab = TABS.some(([id]) => id === query.get('tab')) ? query.get('tab')! : 'graph'
  const opened = query.get('task')
  const defs = useMemo(() => new Map(run.tasks.map((task) => [task.taskKey, task])), [run.tasks])
  const open = (key: string) => amend({ task: key === opened ? null : key })
  const states = useMemo(() => run.tasks.map((task) => ({ key: task.taskKey, status: taskRuns.get(task.taskKey)?.state.status ?? (null as Status | null) })), [run.tasks, taskRuns])
  const failures = useMemo(() => failuresOf(taskRuns.values()).map((t) => t.taskKey).filter((key) => defs.has(key)), [taskRuns, defs])
  const keys = Object.fromEntries([...taskRuns.values()].map((t) => [t.taskKey, t.key]))
  const isRead = tab === 'events' ? !!events : tab === 'gantt' ? !!(known && events) : !!known || ['graph', 'parameters', 'definition'].includes(tab)
  const hasPanel = opened && !!known && defs.has(opened) && ['graph', 'gantt', 'tasks'].includes(tab)

  return (
    <>
      <Tabs tabs={TABS} current={tab} label="Views of the run" onSelect={(id) => amend({ tab: id === 'graph' ? null : id, attempt: null, stream: null })} />
      <div class={`panel with-side${hasPanel ? ' open' : ''}`} role="tabpanel" id="panel" aria-labelledby={`tab-${tab}`}>
        <div class="main">
          {tab === 'graph' && run.tasks.length > FOUND_AT_ONCE && <FindTask key={repair} tasks={run.tasks} failures={failures} onShow={onShow} />}
          {tab === 'graph' && (
            <Graph tasks={run.tasks} current={opened} centre={centre} begins={known && (failures[0] ?? '')} onOpen={open} label="Graph of the tasks"
              view={(key) => ({ ...(known ? nodeView(defs.get(key)!, taskRuns.get(key)) : UNREAD), badge: repairBadge(history, repair, key, taskRuns.get(key)) })} />
          )}
          {!isRead && <Loading />}
          {isRead && tab === 'gantt' && <Gantt tasks={run.tasks} taskRuns={taskRuns} events={events ?? []} repair={repair} current={opened} onOpen={open} />}
          {isRead && tab === 'tasks' && <TasksTab run={run} taskRuns={taskRuns} current={opened} onOpen={open} />}
          {isRead && tab === 'logs' && <Logs run={run} taskRuns={keys} tasks={states} />}
          {tab === 'parameters' && <ParametersTab run={run} attempt={attempt} history={history} />}
          {isRead && events && tab === 'events' && <EventsTab events={repair === newest ? events : events.filter((event) => event.repairKey <= repair)} />}
          {tab === 'definition' && <DefinitionTab run={run} isLost={isLost} />}
        </div>
        {hasPanel && (
          <TaskPanel run={run} mayRun={mayRun} task={defs.get(opened)!} summary={taskRuns.get(opened)} repair={repair === newest ? null : repair}
            onClose={() => amend({ task: null })} />
        )}
      </div>
    </>
  )
}

function TasksTab({ run, taskRuns, current, onOpen }: {
  run: Run
  taskRuns: Map<string, TaskSummary>
  current: string | null
  onOpen: (key: string) => void
}) {
  const [only, setOnly] = useState(false)
  const items = run.tasks.filter((task) => !only || isUnsuccessful(taskRuns.get(task.taskKey)?.state.status))
  const count = run.tasks.filter((task) => isUnsuccessful(taskRuns.get(task.taskKey)?.state.status)).length
  return (
    <>
      <div class="toolbar">
        <label class="inline"><input type="checkbox" checked={only} onChange={(event) => setOnly(event.currentTarget.checked)} />Only what did not succeed ({count})</label>
      </div>
      <Table label="Tasks" wrappedPx={112} items={items} keyOf={(task) => task.taskKey} onOpen={(task) => onOpen(task.taskKey)} isCurrent={(task) => task.taskKey === current}
        columns={[
          { title: 'Task', width: 'minmax(9rem, 1.4fr)', cell: (task) => (
            <button type="button" class="link" onClick={() => onOpen(task.taskKey)}><Name text={task.taskKey} /></button>) },
          { title: 'State', width: '11.5rem', cell: (task) => <Pill status={taskRuns.get(task.taskKey)?.state.status} /> },
          { title: 'Type', width: '5.5rem', cell: (task) => <span class="muted">{TYPE_WORDS[task.type] ?? task.type}</span> },
          { title: 'Started', width: '9rem', cell: (task) => <Time at={taskRuns.get(task.taskKey)?.startTime} /> },
          { title: 'Took', width: '6rem', cell: (task) => {
            const t = taskRuns.get(task.taskKey)
            return <Took from={t?.startTime} to={t?.endTime} isActive={!isFinal(t?.state.status)} />
          } },
          { title: 'Why', width: 'minmax(12rem, 2.4fr)', cell: (task) => {
            const why = visible(taskRuns.get(task.taskKey)?.state.stateMessage ?? '')
            return <span class="muted ellipsis" title={why}>{why}</span>
          } },
          { title: 'Output', width: '4.2rem', cell: (task) => {
            const output = outputOf(run.key, task.type, taskRuns.get(task.taskKey))
            return output ? <a href={output.to} title={output.text}>{task.type === 'JOB_TASK' ? 'Run' : 'Log'}</a> : ''
          } },
        ]} />
    </>
  )
}

export const openRun = (key: string) => go(href(['runs', key]))
