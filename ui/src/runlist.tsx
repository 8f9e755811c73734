// Runs as strips of bars and as lists, and how to start one.

import { useEffect, useMemo, useState } from 'preact/hooks'
import { type Query, list, mayOperate, post } from './api'
import { useLive } from './live'
import { useRetryTokens } from './retry'
import { amend, go, href, route } from './route'
import { PairFields, ValueField } from './pair'
import { Pill, SLOT_STATES, isFinal, look, word } from './states'
import { usePlanned } from './planned'
import { Planned, Time, Took, duration, localTime } from './time'
import type { Job, JobSummary, Parameter, RunSummary, Status } from './types'
import { Dialog, Empty, Key, Loading, Message, Name, Problem, Table, closeDialog, visible } from './ui'

export const tookMs = (run: RunSummary) =>
  run.executionDuration ?? (run.attemptStartTime !== null ? (run.endTime ?? Date.now()) - run.attemptStartTime : 0)

// The last runs, oldest on the left: height is duration, colour and cap are the state.
export function Strip({ runs, max = 20 }: { runs: RunSummary[] | undefined; max?: number }) {
  const shown = [...(runs ?? [])].slice(0, max).reverse()
  const longest = Math.max(1, ...shown.map(tookMs))
  return (
    <span class="strip" role="list" aria-label="Last runs, oldest first">
      {Array.from({ length: max - shown.length }, (_, i) => <span key={i} class="strip-none" aria-hidden="true" />)}
      {shown.map((run) => {
        const { tone } = look(run.state.status)
        const text = `${word(run.state.status)}, ${run.startTime ? localTime(run.startTime) : 'not started'}, ${duration(tookMs(run))}`
        return (
          <span key={run.key} role="listitem"><a class={`strip-bar tone-${tone}`} data-status={run.state.status} href={href(['runs', run.key])} title={text} aria-label={text}>
            <i class={`cap ${MARKS[run.state.status] ?? 'none'}`} style={{ height: `${Math.round(6 + 20 * Math.sqrt(tookMs(run) / longest))}px` }} />
          </a></span>
        )
      })}
    </span>
  )
}

// A bar's own shape besides its colour: whole for success, notched for failure, hollow for what never ran.
const MARKS: Partial<Record<Status, string>> = {
  SUCCESS: 'whole', FAILED: 'notched', TIMED_OUT: 'notched', INTERNAL_ERROR: 'notched', RUNNING: 'moving', PENDING: 'hollow',
  QUEUED: 'hollow', CANCELED: 'split', CANCELING: 'split', SKIPPED: 'hollow',
}

const FILTERS: [string, string, Status[]][] = [
  ['', 'All', []],
  ['active', 'Active', ['QUEUED', 'PENDING', 'RUNNING', 'CANCELING', 'PAUSED_MAINTENANCE']],
  ['failed', 'Not successful', ['FAILED', 'TIMED_OUT', 'INTERNAL_ERROR', 'CANCELED']],
  ['success', 'Successful', ['SUCCESS']],
]

// Days of the reader's, as the address has them; undefined where it has none. Who types a year is at 0002, 0020, 0202 before.
function asDay(text: string | null): string | undefined {
  const ms = text && /^[12]\d{3}-\d\d-\d\d$/.test(text) ? Date.parse(text) : NaN
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text ? undefined : text
}

// When the day begins, or so many days later.
function dayBegins(day: string, later = 0): number {
  const [year, month, date] = day.split('-').map(Number)
  return new Date(year, month - 1, date + later).getTime()
}

export function RunsScreen() {
  useEffect(() => {
    document.title = 'Runs – Reprise'
  }, [])
  const chosen = route.value.query.get('show') ?? ''
  const status = FILTERS.find(([id]) => id === chosen)?.[2] ?? []
  const text = route.value.query.get('job') ?? ''
  const [from, to] = [asDay(route.value.query.get('from')), asDay(route.value.query.get('to'))]
  const query: Query = {
    status,
    timeCreatedGreaterThanOrEqualTo: from && new Date(dayBegins(from)).toISOString(),
    timeCreatedLessThanOrEqualTo: to && new Date(dayBegins(to, 1) - 1).toISOString(),
  }
  const isIn = status.length ? ' is in such a state' : ''
  const none = from || to ? `None that was made on these days${isIn}.` : isIn && `No run${isIn}.`
  const ask = (name: string) => ({ currentTarget: { value } }: { currentTarget: HTMLInputElement }) => (!value || asDay(value)) && amend({ [name]: value })
  const { jobs, isCut, error } = useJobsNamed(text)
  return (
    <div class="screen">
      <div class="title-row">
        <h1>Runs</h1>
        <div class="segments" role="group" aria-label="Which runs">
          {FILTERS.map(([id, title]) => <button key={id} type="button" aria-pressed={id === chosen} onClick={() => amend({ show: id })}>{title}</button>)}
        </div>
        <input type="search" data-search placeholder="Of which job" aria-label="Runs of jobs with this in their name" value={text}
          onInput={(event) => amend({ job: event.currentTarget.value })} />
        <label class="inline">From <input type="date" value={from ?? ''} max={to} onChange={ask('from')} /></label>
        <label class="inline">to <input type="date" value={to ?? ''} min={from} onChange={ask('to')} /></label>
        {isCut && <span class="muted">Of the first {MOST_JOBS} of such jobs</span>}
      </div>
      {error && <Problem error={error} />}
      {!text ? <RunTable query={query} none={none} showsJob /> : !jobs ? !error && <Loading />
        : jobs.length ? <RunTable query={{ ...query, jobKey: jobs }} none={none} showsJob /> : <Empty title="No job has that in its name" />}
    </div>
  )
}

const MOST_JOBS = 100

// The API finds runs by keys of jobs, and jobs by a part of their name.
function useJobsNamed(text: string): { jobs: string[] | undefined; isCut: boolean; error: Error | undefined } {
  const { data, error } = useLive(`jobs named ${text}`, async (signal) => (text
    ? list<JobSummary>('/jobs', { displayNameContains: text, limit: MOST_JOBS, sortBy: 'displayName', sortOrder: 'ASC' }, signal) : { items: [], next: null }),
  { isActive: () => text !== '', every: 10_000 })
  const keys = data?.items.map((job) => job.key)
  const jobs = useMemo(() => keys, [keys?.join(' ')]) // the same as long as they are
  return { jobs, isCut: !!data?.next, error }
}

// `none`: what is said where the query finds none, but for who may begin with a first one.
export function RunTable({ query, none, showsJob }: { query: Query; none?: string; showsJob?: boolean }) {
  const [pages, setPages] = useState(1)
  const planned = usePlanned()
  // More pages are read into the list that is there: it does not go away meanwhile.
  const { data, error, refresh } = useLive(`runs ${JSON.stringify(query)}`, async (signal) => {
    const items: RunSummary[] = []
    let next: string | null = null
    for (let i = 0; i < pages; i++) {
      const page: { items: RunSummary[]; next: string | null } = await list<RunSummary>('/jobRuns', { ...query, limit: 200, page: next }, signal)
      items.push(...page.items)
      next = page.next
      if (!next) break
    }
    return { items, next }
  }, { stream: '/events' })
  if (!data) return error ? <Problem error={error} /> : <Loading />
  if (!data.items.length)
    return (
      <Empty title="No runs here">
        {none ? <p>{none}</p> : mayOperate.value && (
          <>
            <p>Choose a job under <a href={href(['jobs'])}>Jobs</a> and press <b>Run</b>, or type</p>
            <pre>reprise run start JOB --watch</pre>
          </>
        )}
      </Empty>
    )
  return (
    <>
      {error && <Problem error={error} />}
      <Table label="Runs" wrappedPx={showsJob ? 96 : 76} items={data.items} keyOf={(run) => run.key} onOpen={(run) => go(href(['runs', run.key]))} columns={[
        { title: 'Run', width: '7rem', narrow: 'n-auto', cell: (run) => <a href={href(['runs', run.key])}><Key value={run.key} /></a> },
        ...(showsJob ? [{ title: 'Job', width: 'minmax(9rem, 1.2fr)', narrow: 'n-grow', cell: (run: RunSummary) => <a href={href(['jobs', run.jobKey])}><Name text={run.name} /></a> }] : []),
        { title: 'State', width: '11rem', cell: (run) => <Pill status={run.state.status} /> },
        { title: 'Started', width: '9.5rem', cell: (run) => <Time at={run.startTime ?? null} none={isFinal(run.state.status) ? 'Never' : 'Not yet'} /> },
        { title: 'Took', width: '6rem', cell: (run) => isFinal(run.state.status) && run.startTime === null ? <span class="muted">–</span> : run.executionDuration !== null
          ? <span class="num">{duration(run.executionDuration)}</span> : <Took from={run.attemptStartTime} to={run.endTime} isActive={!isFinal(run.state.status)} /> },
        { title: 'Launched', width: 'minmax(8rem, 14rem)', narrow: 'n-full', cell: (run) => {
          const plan = planned(run)
          return plan ? <>for <Planned at={plan.plannedTime} zone={plan.schedule?.timezoneId} /></>
            : <span class="muted">{run.launched === 'SCHEDULED' ? 'Schedule' : visible(run.createdByName ?? 'By hand')}</span>
        } },
        { title: 'Why', width: 'minmax(12rem, 2fr)', narrow: 'n-full', cell: (run) => <span class="muted ellipsis" title={visible(run.state.stateMessage ?? '')}><Message text={run.state.stateMessage} /></span> },
      ]} />
      {data.next && <p class="more"><button type="button" onClick={() => (setPages(pages + 1), refresh())}>Show older runs</button></p>}
    </>
  )
}

// Would another run of it be skipped at present?
function useIsFull(job: Job): boolean {
  const most = job.maxConcurrentRuns
  const { data } = useLive(`is full ${job.key}`, async (signal) => !job.queue?.isEnabled && most <= MOST_COUNTED
    && (most === 0 || (await list<RunSummary>('/jobRuns', { jobKey: job.key, status: SLOT_STATES, limit: most }, signal)).items.length >= most),
  { stream: '/events', streamQuery: { jobKey: job.key }, isActive: () => !job.queue?.isEnabled })
  return data ?? false
}

const MOST_COUNTED = 1000 // a page of runs

// Parameters left as they are are not sent: the job's defaults hold. `given`: what another run of it was given, to begin with.
export function StartDialog({ job, given = [], onClose }: { job: Job; given?: Parameter[]; onClose: () => void }) {
  const [own] = useState(() => new Set(job.parameters.map((p) => p.name)))
  const [values, setValues] = useState(() => new Map(given.filter((p) => own.has(p.name)).map((p) => [p.name, p.value ?? ''])))
  const [added, setAdded] = useState(() => given.filter((p) => !own.has(p.name)).map(({ name, value }) => ({ name, value: value ?? '' })))
  const [error, setError] = useState<unknown>(null)
  const [isSending, setSending] = useState(false)
  const tokenOf = useRetryTokens()
  const isFull = useIsFull(job)
  const isChanged = ({ name, value }: Parameter) => values.has(name) && values.get(name) !== (value ?? '')
  async function start(event: Event) {
    event.preventDefault()
    setSending(true)
    setError(null)
    const parameters = [
      ...job.parameters.filter(isChanged).map(({ name }) => ({ name, value: values.get(name) })),
      ...added.filter((p) => p.name),
    ]
    try {
      const body = { jobKey: job.key, ...(parameters.length ? { parameters } : {}) }
      const run = await post<{ key: string }>('/jobRuns', body, { 'opc-retry-token': tokenOf(body) })
      go(href(['runs', run.key]))
    } catch (problem) {
      setSending(false)
      setError(problem)
    }
  }
  return (
    <Dialog title={`Run ${visible(job.name)}`} onClose={onClose}>
      <form onSubmit={start}>
        <fieldset class="parameters">
          <legend>Parameters</legend>
          {!job.parameters.length && !added.length && <p class="muted">This job has none.</p>}
          {job.parameters.map((parameter) => {
            const { name, value } = parameter
            return (
              <label key={name} class={isChanged(parameter) ? 'changed' : ''}>
                <span><Name text={name} />{isChanged(parameter) && <span class="muted"> by default <code>{visible(value ?? '') || 'empty'}</code></span>}</span>
                <ValueField value={values.get(name) ?? value ?? ''} data-parameter={name} onValue={(text) => setValues(new Map(values).set(name, text))} />
              </label>
            )
          })}
          {added.map((pair, i) => (
            <PairFields key={i} pair={pair} names={[...own]} whose="The job"
              onChange={(changed) => setAdded(added.map((p, j) => (i === j ? changed : p)))} onRemove={() => setAdded(added.filter((_, j) => i !== j))} />
          ))}
          <button type="button" class="small" onClick={() => setAdded([...added, { name: '', value: '' }])}>Add a parameter</button>
        </fieldset>
        {isFull && (
          <p class="notice warn" role="status">
            {job.maxConcurrentRuns === 0 ? 'The job takes no runs at present' : `As many runs of the job are active as it takes (${job.maxConcurrentRuns})`}, and it has no queue: this run would be skipped.
          </p>
        )}
        {error !== null && <Problem error={error} isOnce />}
        <footer>
          <button type="button" onClick={closeDialog}>Cancel</button>
          <button type="submit" class="primary" disabled={isSending}>{isSending ? 'Starting…' : 'Run'}</button>
        </footer>
      </form>
    </Dialog>
  )
}
