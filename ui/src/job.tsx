// One job: its tasks against its runs, its runs as a list, its definition.

import { useEffect, useMemo, useState } from 'preact/hooks'
import { call, get, isNotFound, mayEdit, mayOperate, url } from './api'
import { CampaignDialog } from './campaignnew'
import { NoVersion, VersionText, useVersions } from './difference'
import { Durations } from './durations'
import { FormDialog } from './formdialog'
import { Graph } from './graph'
import { Grid } from './grid'
import { summaryOf, useGrid } from './griddata'
import { useLive } from './live'
import { useRights } from './rights'
import { amend, go, href, route } from './route'
import { Strip, RunTable, StartDialog } from './runlist'
import { Json, withoutUnset } from './runtabs'
import { PauseSwitch, ScheduleText, Skipped } from './schedule'
import { TYPE_WORDS } from './run'
import { RUN_IF } from './taskpanel'
import { Planned, Time, localTime } from './time'
import type { Job, TaskDef, WholeVersion } from './types'
import { Empty, Key, Loading, Missing, Name, Problem, Tabs, visible } from './ui'
import { plannedText, zoneOf } from './zone'

const TABS: [string, string][] = [['grid', 'Grid'], ['durations', 'Durations'], ['runs', 'Runs'], ['graph', 'Graph'], ['definition', 'Definition'], ['skipped', 'Skipped']]

export function JobScreen({ jobKey }: { jobKey: string }) {
  const { data: job, error, refresh } = useLive<Job>(`job ${jobKey}`, (signal) => get(`/jobs/${encodeURIComponent(jobKey)}`, {}, signal), { every: 10_000 })
  const grid = useGrid(jobKey)
  const runs = useMemo(() => grid.data?.runs.map((run) => summaryOf(jobKey, run)), [grid.data])
  const { mayRun, mayChange } = useRights(jobKey)
  const [isStarting, setStarting] = useState(false)
  const [isRerunning, setRerunning] = useState(false)
  useEffect(() => {
    if (job) document.title = `${visible(job.name)} – Reprise`
  }, [job?.name])
  if (!job) return error ? <Missing error={error} what="job"><a href={href(['jobs'])}>All jobs</a></Missing> : <Loading />
  const zone = job.schedule?.timezoneId
  const query = route.value.query
  const tab = TABS.some(([id]) => id === query.get('tab')) ? query.get('tab')! : 'grid'
  return (
    <div class="screen job">
      <header class="run-head">
        <div class="crumbs"><a href={href(['jobs'])}>Jobs</a> / <Key value={job.key} /></div>
        <div class="title-row">
          <h1><Name text={job.name} /></h1>
          <span class="grow" />
          {mayChange && <a class="button" href={href(['jobs', job.key, 'edit'])}>Edit…</a>}
          {mayOperate.value && job.schedule && <button type="button" onClick={() => setRerunning(true)}>Rerun a range…</button>}
          {mayRun && <button type="button" class="primary" onClick={() => setStarting(true)}>Run…</button>}
        </div>
        {job.description && <p class="reason">{visible(job.description)}</p>}
        <dl class="facts">
          <div><dt>Schedule</dt><dd class="row"><ScheduleText job={job} whole /><PauseSwitch job={job} mayChange={mayChange} onDone={refresh} /></dd></div>
          {!!job.nextRunTimes?.length && <div><dt>Next</dt><dd title={job.nextRunTimes.map((t) => `${plannedText(Date.parse(t), zoneOf(zone))} ${zoneOf(zone).name}`).join('\n')}>{job.schedule ? <Planned at={job.nextRunTimes[0]} zone={zone} /> : <Time at={job.nextRunTimes[0]} />}</dd></div>}
          <div><dt>At the same time</dt><dd>{job.maxConcurrentRuns} {job.maxConcurrentRuns === 1 ? 'run' : 'runs'}, {job.queue?.isEnabled ? 'then they queue' : 'then they are skipped'}</dd></div>
          <div><dt>Tasks</dt><dd class="num">{job.tasks.length}</dd></div>
          <div><dt>Version</dt><dd class="num">{job.definitionVersion ?? '–'}</dd></div>
          <div><dt>Changed</dt><dd><Time at={job.timeUpdated} />{job.updatedByName && <> by <Name text={job.updatedByName} /></>}</dd></div>
          <div><dt>Last runs</dt><dd><Strip runs={runs} max={20} /></dd></div>
        </dl>
      </header>
      {(error ?? grid.error) && <Problem error={error ?? grid.error} />}
      <Tabs tabs={TABS} current={tab} label="Views of the job" onSelect={(id) => amend({ tab: id === 'grid' ? null : id, task: null, run: null })} />
      <div class="panel" role="tabpanel" id="panel" aria-labelledby={`tab-${tab}`}>
        {tab === 'grid' && (!runs ? <Loading /> : runs.length ? <Grid job={job} grid={grid} mayRun={mayRun} />
          : <Empty title="This job has not run yet"><p>{mayRun && <>Press <b>Run…</b> above. </>}Each run becomes a column here, each task a row.</p></Empty>)}
        {tab === 'durations' && (!runs ? <Loading /> : <Durations job={job} grid={grid} />)}
        {tab === 'skipped' && <Skipped job={job} />}
        {tab === 'runs' && <RunTable query={{ jobKey: job.key }} />}
        {tab === 'graph' && (job.tasks.length ? <DefinitionGraph tasks={job.tasks} onOpen={() => undefined} />
          : <Empty title="This job has no tasks"><p>Add some to its definition.</p></Empty>)}
        {tab === 'definition' && <Definition job={job} mayChange={mayChange} />}
      </div>
      {isRerunning && <CampaignDialog job={job} onClose={() => setRerunning(false)} />}
      {isStarting && <StartDialog job={job} onClose={() => setStarting(false)} />}
    </div>
  )
}

export function DefinitionGraph({ tasks, onOpen }: { tasks: TaskDef[]; onOpen: (taskKey: string) => void }) {
  const defs = useMemo(() => new Map(tasks.map((task) => [task.taskKey, task])), [tasks])
  return <Graph tasks={tasks} label="Graph of the definition" onOpen={onOpen} view={(key) => {
    const task = defs.get(key)!
    return { status: null, detail: TYPE_WORDS[task.type] ?? task.type, reason: `Runs if ${RUN_IF[task.runIf ?? 'ALL_SUCCESS'] ?? task.runIf}` }
  }} />
}

// The definition as it is, or as it was: every change of it is a version, shown whole or by what differs from another.
function Definition({ job, mayChange }: { job: Job; mayChange: boolean }) {
  const [isDeleting, setDeleting] = useState(false)
  const versions = useVersions(job.key, job.definitionVersion ?? '')
  const query = route.value.query
  const asked = (name: string) => (query.get(name) ? Number(query.get(name)) : null)
  const current = job.definitionVersion ?? 1
  const version = asked('version') ?? current
  const against = asked('against')
  const isNone = [version, against ?? 1].some((v) => !Number.isInteger(v) || v < 1) // what the address says is no number of a version
  const listed = new Set(versions?.map((v) => v.version))
  const choices = versions && [
    ...versions.map((v) => (
      <option key={v.version} value={v.version}>{v.version}{v.isCurrent ? ' (now)' : ''}, {v.timeCreated ? localTime(Date.parse(v.timeCreated)) : ''}</option>
    )),
    // The list ends somewhere; the address leads further.
    ...[...new Set([version, against])].filter((v) => v !== null && !listed.has(v)).map((v) => <option key={v} value={v!}>{v}</option>),
  ]
  return (
    <div class="scroll">
      <div class="toolbar">
        {versions && (versions.length > 1 || version !== current) && (
          <>
            <label class="inline">Version
              <select value={version} onChange={(event) => amend({ version: Number(event.currentTarget.value) === current ? null : event.currentTarget.value })}>{choices}</select>
            </label>
            <label class="inline">compared with
              <select value={against ?? ''} onChange={(event) => amend({ against: event.currentTarget.value })}><option value="">nothing</option>{choices}</select>
            </label>
          </>
        )}
        <span class="grow" />
        {mayEdit.value && <a class="button" href={href(['jobs', 'new'], { from: job.key })}>Copy as a new job…</a>}
        {mayChange && <button type="button" class="danger" onClick={() => setDeleting(true)}>Delete…</button>}
      </div>
      {isDeleting && <DeleteDialog job={job} onClose={() => setDeleting(false)} />}
      {isNone ? <NoVersion /> : against ? <VersionText jobKey={job.key} from={against} to={version} />
        : <OneVersion job={job} version={version === current ? null : version} />}
    </div>
  )
}

function DeleteDialog({ job, onClose }: { job: Job; onClose: () => void }) {
  async function remove() {
    await call(url(`/jobs/${encodeURIComponent(job.key)}`), { method: 'DELETE' })
    go(href(['jobs']))
  }
  return (
    <FormDialog title={`Delete ${visible(job.name)}?`} verb="Delete" doing="Deleting…" isDanger onClose={onClose} onSubmit={remove}>
      <p>It starts no more runs, and cannot be brought back. The runs that it had stay, and can be looked at, until they are deleted or too old.</p>
    </FormDialog>
  )
}

function OneVersion({ job, version }: { job: Job; version: number | null }) {
  const { data: whole, error } = useLive<WholeVersion | null>(`version ${job.key} ${version ?? ''}`,
    (signal) => (version ? get(`/jobs/${job.key}/versions/${version}`, {}, signal) : Promise.resolve(null)), { isActive: () => false })
  if (error) return isNotFound(error) ? <NoVersion /> : <Problem error={error} />
  if (whole === undefined) return <Loading />
  return <Json value={withoutUnset(whole ? whole.definition : job)} />
}
