// Now: what runs, who holds the slots, who waits and why.

import { useEffect } from 'preact/hooks'
import { get, list, listAll, skewMs } from './api'
import { useLive, useNow } from './live'
import { go, href } from './route'
import { ScheduleText } from './schedule'
import { Pill, Shape, holdsSlot, isFinal } from './states'
import { Planned, Time, Took, attemptName, duration } from './time'
import type { Job, JobSummary, RunSummary, TaskSummary } from './types'
import { Empty, Key, Loading, Message, Name, Problem } from './ui'

const ACTIVE = ['QUEUED', 'PENDING', 'RUNNING', 'CANCELING', 'PAUSED_MAINTENANCE']
const MAX_RUNS = 200
const MAX_LOOKED_INTO = 40

interface Now {
  runs: RunSummary[]
  isCut: boolean
  tasks: Map<string, TaskSummary[]> // of runs that hold a slot
  caps: Map<string, Job>
}

const caps = new Map<string, { at: number; job: Job }>() // a job's limit changes rarely

async function read(signal: AbortSignal): Promise<Now> {
  const { items, next } = await list<RunSummary>('/jobRuns', { status: ACTIVE, limit: MAX_RUNS, sortOrder: 'ASC' }, signal)
  const holders = items.filter((run) => holdsSlot(run.state.status)).slice(0, MAX_LOOKED_INTO)
  const tasks = new Map<string, TaskSummary[]>()
  const jobs = new Map<string, Job>()
  await Promise.all([
    ...holders.map(async (run) => {
      tasks.set(run.key, await listAll<TaskSummary>('/taskRuns', { jobRunKey: run.key }, signal))
    }),
    ...[...new Set(items.map((run) => run.jobKey))].slice(0, MAX_LOOKED_INTO).map(async (key) => {
      const known = caps.get(key)
      if (!known || known.at < Date.now() - 15_000) {
        const job = await get<Job>(`/jobs/${key}`, {}, signal).catch(() => null) // it may be deleted
        if (job) caps.set(key, { at: Date.now(), job })
      }
      const job = caps.get(key)?.job
      if (job) jobs.set(key, job)
    }),
  ])
  return { runs: items, isCut: next !== null, tasks, caps: jobs }
}

export function NowScreen() {
  useEffect(() => {
    document.title = 'Now – Reprise'
  }, [])
  const { data, error } = useLive<Now>('now', read, { stream: '/events' })
  if (!data) return error ? <div class="screen"><Problem error={error} /></div> : <Loading />
  const holding = data.runs.filter((run) => holdsSlot(run.state.status))
  const queued = data.runs.filter((run) => run.state.status === 'QUEUED')
  const byJob = new Map<string, RunSummary[]>()
  for (const run of data.runs) byJob.set(run.jobKey, [...(byJob.get(run.jobKey) ?? []), run])
  return (
    <div class="screen now">
      <div class="title-row">
        <h1>Now</h1>
        <span class="muted">{holding.length} {holding.length === 1 ? 'run is' : 'runs are'} active, {queued.length} queued{data.isCut ? ` (the first ${MAX_RUNS} are shown)` : ''}</span>
      </div>
      {error && <Problem error={error} />}
      {!data.runs.length && (
        <Empty title="Nothing runs at the moment">
          <p>Start something under <a href={href(['jobs'])}>Jobs</a>, or look at <a href={href(['runs'])}>what ran</a>.</p>
        </Empty>
      )}
      {holding.length > 0 && (
        <section aria-labelledby="now-running">
          <h2 id="now-running">Running</h2>
          <ul class="cards">
            {holding.map((run) => <Card key={run.key} run={run} tasks={data.tasks.get(run.key)} />)}
          </ul>
        </section>
      )}
      {data.runs.length > 0 && (
        <section aria-labelledby="now-slots">
          <h2 id="now-slots">Slots</h2>
          <ul class="slots">
            {[...byJob].map(([key, runs]) => {
              const holders = runs.filter((run) => holdsSlot(run.state.status))
              const cap = data.caps.get(key)?.maxConcurrentRuns
              return (
                <li key={key}>
                  <a href={href(['jobs', key])}><Name text={runs[0].name} /></a>
                  <span class="slot-row" aria-hidden="true">
                    {Array.from({ length: Math.min(cap ?? holders.length, 24) }, (_, i) => <i key={i} class={i < holders.length ? 'held' : ''} />)}
                  </span>
                  <span class="num">{holders.length} of {cap ?? '?'} held</span>
                  <span class="muted">{holders.length > 0 && <>by {holders.slice(0, 6).map((run) => <a key={run.key} href={href(['runs', run.key])}><Key value={run.key} /> </a>)}</>}</span>
                </li>
              )
            })}
          </ul>
        </section>
      )}
      {queued.length > 0 && (
        <section aria-labelledby="now-queue">
          <h2 id="now-queue">Queue</h2>
          <ol class="queue">
            {queued.map((run) => (
              <li key={run.key}>
                <Shape status="QUEUED" title />
                <a href={href(['runs', run.key])}><Name text={run.name} /> <Key value={run.key} /></a>
                <span><Message text={run.state.stateMessage} /></span>
                <span class="muted">since <Time at={run.timeCreated} /></span>
              </li>
            ))}
          </ol>
        </section>
      )}
      <NextSchedules />
    </div>
  )
}

// What the schedules start next.
const NEXT_SHOWN = 12
const NEXT_PAGES = 3
const NEXT_EVERY_MS = 30_000

interface Next {
  jobs: JobSummary[]
  isCut: boolean
}

async function readNext(signal: AbortSignal): Promise<Next> {
  const jobs: JobSummary[] = []
  let page: string | null = null
  for (let i = 0; i < NEXT_PAGES; i++) {
    const answer: { items: JobSummary[]; next: string | null } = await list<JobSummary>('/jobs', { limit: 1000, page }, signal)
    jobs.push(...answer.items.filter((job) => job.nextRunTime))
    page = answer.next
    if (!page) break
  }
  jobs.sort((a, b) => Date.parse(a.nextRunTime!) - Date.parse(b.nextRunTime!))
  return { jobs: jobs.slice(0, NEXT_SHOWN), isCut: page !== null }
}

function NextSchedules() {
  const { data, refresh } = useLive<Next>('next', readNext, { every: NEXT_EVERY_MS })
  const now = useNow(!!data?.jobs.length) + skewMs.value
  // The first of them has started: then another is the next.
  const first = data?.jobs[0]?.nextRunTime ?? ''
  useEffect(() => {
    if (!first) return
    const timer = setTimeout(refresh, Math.min(NEXT_EVERY_MS, Math.max(0, Date.parse(first) - Date.now() - skewMs.value) + 1000))
    return () => clearTimeout(timer)
  }, [data])
  if (!data?.jobs.length) return null
  return (
    <section aria-labelledby="now-next">
      <h2 id="now-next">Next by schedule</h2>
      <ol class="queue">
        {data.jobs.map((job) => {
          const wait = Date.parse(job.nextRunTime!) - now
          return (
            <li key={job.key}>
              <span class="next-time">{job.schedule ? <Planned at={job.nextRunTime!} zone={job.schedule.timezoneId} /> : <Time at={job.nextRunTime!} />}</span>
              <span class="muted num next-in">{wait > 0 ? `in ${duration(Math.ceil(wait / 1000) * 1000)}` : 'now'}</span>
              <a href={href(['jobs', job.key])}><Name text={job.name} /></a>
              <ScheduleText job={job} />
            </li>
          )
        })}
        {data.isCut && <li class="muted">Of the {NEXT_PAGES},000 newest jobs.</li>}
      </ol>
    </section>
  )
}

function Card({ run, tasks }: { run: RunSummary; tasks: TaskSummary[] | undefined }) {
  const running = tasks?.filter((task) => ['RUNNING', 'CANCELING', 'PENDING'].includes(task.state.status)) ?? []
  const waiting = tasks?.filter((task) => task.state.status === 'QUEUED').length ?? 0
  const done = tasks?.filter((task) => isFinal(task.state.status)).length ?? 0
  return (
    <li class="card" onClick={(event) => !(event.target as Element).closest('a') && go(href(['runs', run.key]))}>
      <div class="row">
        <a class="strong" href={href(['runs', run.key])}><Name text={run.name} /> <Key value={run.key} /></a>
        <span class="grow" /><Pill status={run.state.status} />
      </div>
      <div class="row muted">
        <span><Took from={run.attemptStartTime ?? run.startTime ?? run.timeCreated} to={null} isActive /></span>
        {tasks && <><progress max={tasks.length} value={done} aria-label="Tasks done" /><span class="num">{done} of {tasks.length}</span></>}
        {waiting > 0 && <span>{waiting} waiting for a slot</span>}
      </div>
      <ul class="running">
        {running.slice(0, 8).map((task) => (
          <li key={task.key}>
            <Shape status={task.state.status} title />
            <a href={href(['runs', run.key], { tab: 'logs', task: task.taskKey })}><Name text={task.taskKey} /></a>
            {task.retryAttempt ? <span class="muted">{attemptName(task.retryAttempt)}</span> : null}
            <span class="grow" /><Took from={task.startTime} to={null} isActive />
          </li>
        ))}
        {running.length > 8 && <li class="muted">and {running.length - 8} more</li>}
      </ul>
    </li>
  )
}
