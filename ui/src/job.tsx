// One job: its tasks against its runs, its runs as a list, its definition.

import { useEffect, useMemo, useState } from 'preact/hooks'
import { get, list, mayOperate } from './api'
import { CampaignDialog } from './campaignnew'
import { VersionText, useVersions } from './difference'
import { Durations } from './durations'
import { Graph } from './graph'
import { useLive } from './live'
import { amend, go, href, route } from './route'
import { Strip, RunTable, StartDialog, tookMs } from './runlist'
import { Json, withoutUnset } from './runtabs'
import { PauseSwitch, ScheduleText, Skipped } from './schedule'
import { Shape, isFinal, word } from './states'
import { useTaskStates } from './taskstates'
import { TYPE_WORDS } from './run'
import { RUN_IF } from './taskpanel'
import { Time, duration, localTime } from './time'
import type { Job, RunSummary, Status, WholeVersion } from './types'
import { Empty, Key, Loading, Name, Problem, Tabs, useRows, visible } from './ui'

const GRID_RUNS = 100
const ROW_PX = 28
const COLUMN_PX = 26

const TABS: [string, string][] = [['grid', 'Grid'], ['durations', 'Durations'], ['runs', 'Runs'], ['graph', 'Graph'], ['definition', 'Definition'], ['skipped', 'Skipped']]

export function JobScreen({ jobKey }: { jobKey: string }) {
  const { data: job, error, refresh } = useLive<Job>(`job ${jobKey}`, (signal) => get(`/jobs/${encodeURIComponent(jobKey)}`, {}, signal), { every: 10_000 })
  const { data: runs } = useLive(`job runs ${jobKey}`, async (signal) =>
    (await list<RunSummary>('/jobRuns', { jobKey, limit: GRID_RUNS }, signal)).items, { stream: '/events' })
  const [isStarting, setStarting] = useState(false)
  const [isRerunning, setRerunning] = useState(false)
  useEffect(() => {
    if (job) document.title = `${visible(job.name)} – Reprise`
  }, [job?.name])
  if (!job) return error ? <Problem error={error}><a href={href(['jobs'])}>All jobs</a></Problem> : <Loading />
  const query = route.value.query
  const tab = TABS.some(([id]) => id === query.get('tab')) ? query.get('tab')! : 'grid'
  return (
    <div class="screen job">
      <header class="run-head">
        <div class="crumbs"><a href={href(['jobs'])}>Jobs</a> / <Key value={job.key} /></div>
        <div class="title-row">
          <h1><Name text={job.name} /></h1>
          <span class="grow" />
          {mayOperate.value && <button type="button" onClick={() => setRerunning(true)}>Rerun a range…</button>}
          {mayOperate.value && <button type="button" class="primary" onClick={() => setStarting(true)}>Run…</button>}
        </div>
        {job.description && <p class="reason">{visible(job.description)}</p>}
        <dl class="facts">
          <div><dt>Schedule</dt><dd class="row"><ScheduleText schedule={job.schedule} /><PauseSwitch job={job} onDone={refresh} /></dd></div>
          {!!job.nextRunTimes?.length && <div><dt>Next</dt><dd title={job.nextRunTimes.map((t) => localTime(Date.parse(t))).join('\n')}><Time at={job.nextRunTimes[0]} /></dd></div>}
          <div><dt>At the same time</dt><dd>{job.maxConcurrentRuns} {job.maxConcurrentRuns === 1 ? 'run' : 'runs'}, {job.queue?.isEnabled ? 'then they queue' : 'then they are skipped'}</dd></div>
          <div><dt>Tasks</dt><dd class="num">{job.tasks.length}</dd></div>
          <div><dt>Version</dt><dd class="num">{job.definitionVersion ?? '–'}</dd></div>
          <div><dt>Changed</dt><dd><Time at={job.timeUpdated} />{job.updatedByName && <> by <Name text={job.updatedByName} /></>}</dd></div>
          <div><dt>Last runs</dt><dd><Strip runs={runs} max={20} /></dd></div>
        </dl>
      </header>
      {error && <Problem error={error} />}
      <Tabs tabs={TABS} current={tab} label="Views of the job" onSelect={(id) => amend({ tab: id === 'grid' ? null : id, task: null })} />
      <div class="panel" role="tabpanel" id="panel" aria-labelledby={`tab-${tab}`}>
        {tab === 'grid' && (!runs ? <Loading /> : runs.length ? <Grid job={job} runs={runs} />
          : <Empty title="This job has not run yet"><p>Press <b>Run…</b> above. Each run becomes a column here, each task a row.</p></Empty>)}
        {tab === 'durations' && (!runs ? <Loading /> : <Durations job={job} runs={runs} />)}
        {tab === 'skipped' && <Skipped job={job} />}
        {tab === 'runs' && <RunTable query={{ jobKey: job.key }} />}
        {tab === 'graph' && (job.tasks.length
          ? <Graph tasks={job.tasks} label="Graph of the definition" onOpen={() => undefined} view={(key) => {
            const task = job.tasks.find((t) => t.taskKey === key)!
            return { status: null, detail: TYPE_WORDS[task.type] ?? task.type, reason: `Runs if ${RUN_IF[task.runIf ?? 'ALL_SUCCESS'] ?? task.runIf}` }
          }} />
          : <Empty title="This job has no tasks"><p>Add some to its definition: <code>reprise job update JOB -f FILE</code></p></Empty>)}
        {tab === 'definition' && <Definition job={job} />}
      </div>
      {isRerunning && <CampaignDialog job={job} onClose={() => setRerunning(false)} />}
      {isStarting && <StartDialog job={job} onClose={() => setStarting(false)} />}
    </div>
  )
}

// The definition as it is, or as it was: every change of it is a version, shown whole or by what differs from another.
function Definition({ job }: { job: Job }) {
  const versions = useVersions(job.key, job.definitionVersion ?? '')
  const query = route.value.query
  const current = job.definitionVersion ?? 0
  const version = versions?.find((v) => v.version === Number(query.get('version'))) ? Number(query.get('version')) : current
  const against = versions?.find((v) => v.version === Number(query.get('against'))) ? Number(query.get('against')) : null
  const choices = versions?.map((v) => (
    <option key={v.version} value={v.version}>{v.version}{v.isCurrent ? ' (now)' : ''}, {v.timeCreated ? localTime(Date.parse(v.timeCreated)) : ''}</option>
  ))
  return (
    <div class="scroll">
      {versions && versions.length > 1 && (
        <div class="toolbar">
          <label class="inline">Version
            <select value={version} onChange={(event) => amend({ version: Number(event.currentTarget.value) === current ? null : event.currentTarget.value })}>{choices}</select>
          </label>
          <label class="inline">compared with
            <select value={against ?? ''} onChange={(event) => amend({ against: event.currentTarget.value })}><option value="">nothing</option>{choices}</select>
          </label>
        </div>
      )}
      {against ? <VersionText jobKey={job.key} from={against} to={version} />
        : <OneVersion job={job} version={version === current ? null : version} />}
    </div>
  )
}

function OneVersion({ job, version }: { job: Job; version: number | null }) {
  const { data: whole, error } = useLive<WholeVersion | null>(`version ${job.key} ${version ?? ''}`,
    (signal) => (version ? get(`/jobs/${job.key}/versions/${version}`, {}, signal) : Promise.resolve(null)), { isActive: () => false })
  return <>{error && <Problem error={error} />}<Json value={withoutUnset(whole && version ? whole.definition : job)} /></>
}

function Grid({ job, runs }: { job: Job; runs: RunSummary[] }) {
  const columns = useMemo(() => [...runs].reverse(), [runs]) // oldest on the left, as on a calendar
  const rows = useRows(job.tasks.length, ROW_PX)
  const states = useTaskStates()
  const [view, setView] = useState({ left: 0, width: 800 })
  const [focus, setFocus] = useState<[number, number]>([0, columns.length - 1])
  const longest = Math.max(1, ...columns.map(tookMs))
  const frame = rows.ref

  const measure = () => {
    const box = frame.current
    if (box) setView((v) => (v.left === box.scrollLeft && v.width === box.clientWidth ? v : { left: box.scrollLeft, width: box.clientWidth }))
  }
  useEffect(() => {
    if (frame.current) frame.current.scrollLeft = frame.current.scrollWidth // the newest
    measure()
  }, [])
  const from = Math.max(0, Math.floor(view.left / COLUMN_PX) - 4)
  const to = Math.min(columns.length, Math.ceil((view.left + view.width) / COLUMN_PX) + 4)
  const shown = columns.slice(from, to)
  useEffect(() => states.want(shown))

  function onKeyDown(event: KeyboardEvent) {
    const [r, c] = focus
    const to = ({
      ArrowUp: [r - 1, c], ArrowDown: [r + 1, c], ArrowLeft: [r, c - 1], ArrowRight: [r, c + 1], Home: [r, 0], End: [r, columns.length - 1],
    } as Record<string, [number, number]>)[event.key]
    if (!to) return
    event.preventDefault()
    const row = Math.max(0, Math.min(job.tasks.length - 1, to[0]))
    const column = Math.max(0, Math.min(columns.length - 1, to[1]))
    setFocus([row, column])
    const box = frame.current!
    box.scrollTop = Math.max(Math.min(box.scrollTop, row * ROW_PX), (row + 4) * ROW_PX - box.clientHeight)
    box.scrollLeft = Math.max(Math.min(box.scrollLeft, column * COLUMN_PX), (column + 12) * COLUMN_PX - box.clientWidth)
    requestAnimationFrame(() => frame.current?.querySelector<HTMLElement>(`[data-cell="${row}.${column}"]`)?.focus())
  }

  return (
    <div class="grid" ref={frame} role="grid" aria-label="Tasks against runs" aria-rowcount={job.tasks.length + 1} aria-colcount={columns.length + 1}
      tabIndex={-1} onKeyDown={onKeyDown} onScroll={() => (rows.onScroll(), measure())}>
      <div class="grid-head" role="row" style={{ width: `calc(var(--grid-names) + ${columns.length * COLUMN_PX}px)` }}>
        <div class="grid-corner" role="columnheader">Task</div>
        {shown.map((run, i) => (
          <div key={run.key} role="columnheader" class="grid-run" style={{ left: `calc(var(--grid-names) + ${(from + i) * COLUMN_PX}px)` }}>
          <a href={href(['runs', run.key])} tabIndex={-1}
            title={`${word(run.state.status)}, ${localTime(Date.parse(run.timeCreated))}, ${duration(tookMs(run))}`}
            aria-label={`Run of ${localTime(Date.parse(run.timeCreated))}: ${word(run.state.status)}`}>
            <i class={`grid-bar tone-${barTone(run.state.status)}`} style={{ height: `${Math.round(4 + 30 * Math.sqrt(tookMs(run) / longest))}px` }} />
            <Shape status={run.state.status} size={12} />
          </a>
          </div>
        ))}
      </div>
      <div role="presentation" style={{ height: `${rows.height}px`, width: `calc(var(--grid-names) + ${columns.length * COLUMN_PX}px)` }}>
        <div role="presentation" style={{ transform: `translateY(${rows.top}px)` }}>
          {job.tasks.slice(rows.first, rows.last).map((task, i) => {
            const row = rows.first + i
            return (
              <div key={task.taskKey} class="grid-row" role="row" aria-rowindex={row + 2}>
                <div class="grid-name" role="rowheader"><Name text={task.taskKey} /></div>
                {shown.map((run, j) => {
                  const column = from + j
                  const all = states.of(run.key)
                  const one = all?.get(task.taskKey)
                  const text = `${visible(task.taskKey)}, run of ${localTime(Date.parse(run.timeCreated))}: ${one ? word(one.state.status) : all ? 'not part of it' : 'loading'}`
                  return (
                    <div key={run.key} role="gridcell" aria-colindex={column + 2} class="grid-cell" style={{ left: `calc(var(--grid-names) + ${column * COLUMN_PX}px)` }}>
                      <button type="button" data-cell={`${row}.${column}`} tabIndex={focus[0] === row && focus[1] === column ? 0 : -1}
                        data-status={one?.state.status ?? ''} aria-label={text} title={one ? `${text}\n${one.state.stateMessage ?? ''}` : text}
                        onFocus={() => setFocus([row, column])} onClick={() => go(href(['runs', run.key], { task: task.taskKey }))}>
                        {one ? <Shape status={one.state.status} size={15} /> : all ? '' : '·'}
                      </button>
                    </div>
                  )
                })}
              </div>
            )
          })}
        </div>
      </div>
    </div>
  )
}

const barTone = (status: Status) =>
  status === 'SUCCESS' ? 'ok' : isFinal(status) ? (status === 'CANCELED' || status === 'SKIPPED' ? 'off' : 'bad') : 'run'
