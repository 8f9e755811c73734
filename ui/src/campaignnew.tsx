// Asking for a campaign: which job, which planned times, how much of each run, how many at a time.

import { useEffect, useState } from 'preact/hooks'
import { get, list, post } from './api'
import { type Pair, PairFields } from './pair'
import { useRetryTokens } from './retry'
import { go, href } from './route'
import type { Job, JobSummary } from './types'
import { Dialog, Problem, closeDialog, visible } from './ui'
import { fromWall, ownZone, toWall, zoneOf } from './zone'

const DAY_MS = 86_400_000
const MAX_CONCURRENT = 128

interface CampaignPlan {
  cellCount: number; newCount: number; skippedCount: number
  jobs: { jobKey: string; name: string; cellCount: number; newCount: number; skippedCount: number }[]
  cells: { position: number; jobName: string; plannedTime: string; status: string; reason: string }[]
}

const SKIPPED_SHOWN = 5

/** What the campaign would consist of, in words; who may not be rerun, and why. */
function Preview({ plan, zone }: { plan: CampaignPlan; zone: string }) {
  const skipped = plan.cells.filter((cell) => cell.status === 'SKIPPED').slice(0, SKIPPED_SHOWN)
  const rerun = plan.cellCount - plan.newCount - plan.skippedCount
  return (
    <div role="status" class="notice">
      <p>Would rerun <b>{rerun}</b>, make <b>{plan.newCount}</b>, skip <b>{plan.skippedCount}</b>.</p>
      {plan.jobs.length > 1 && (
        <ul>{plan.jobs.map((each) => <li key={each.jobKey}>{visible(each.name)}: {each.cellCount - each.skippedCount}{each.skippedCount > 0 && ` and ${each.skippedCount} skipped`}</li>)}</ul>
      )}
      {plan.skippedCount > 0 && (
        <ul>{skipped.map((cell) => (
          <li key={cell.position}>{visible(cell.jobName)}, {toWall(Date.parse(cell.plannedTime), zone).replace('T', ' ')}: {visible(cell.reason)}</li>
        ))}
        {plan.skippedCount > skipped.length && <li>and {plan.skippedCount - skipped.length} more</li>}</ul>
      )}
    </div>
  )
}

export function CampaignDialog({ job, onClose }: { job: Job | null; onClose: () => void }) {
  const [jobs, setJobs] = useState<JobSummary[] | null>(null)
  const [jobKey, setJobKey] = useState(job?.key ?? '')
  const [chosen, setChosen] = useState<Job | null>(job)
  // Planned times are meant in the zone of the schedule, whoever asks from wherever.
  const zone = chosen?.schedule?.timezoneId ?? ownZone
  const [opened] = useState(Date.now)
  const [beginSet, setBegin] = useState<string | null>(null)
  const [endSet, setEnd] = useState<string | null>(null)
  const begin = beginSet ?? toWall(opened - DAY_MS, zone)
  const end = endSet ?? toWall(opened, zone)
  const [kind, setKind] = useState('UNSUCCESSFUL')
  const [where, setWhere] = useState('ERROR')
  const [taskKey, setTaskKey] = useState('')
  const [version, setVersion] = useState('ORIGINAL')
  const [concurrent, setConcurrent] = useState(1)
  const [isDownstream, setDownstream] = useState(true)
  const [isCanary, setCanary] = useState(false)
  const [parameters, setParameters] = useState<Pair[]>([])
  const given = parameters.filter(({ name }) => name)
  const [error, setError] = useState<unknown>(null)
  const [isSending, setSending] = useState(false)
  const tokenOf = useRetryTokens()
  useEffect(() => {
    if (job) return
    list<JobSummary>('/jobs', { limit: 1000, sortBy: 'displayName', sortOrder: 'ASC' }).then(({ items }) => setJobs(items), setError)
  }, [])
  useEffect(() => {
    if (!jobKey || chosen?.key === jobKey) return
    get<Job>(`/jobs/${jobKey}`).then(setChosen, setError)
  }, [jobKey])
  const isNew = kind === 'SUPPLEMENT'
  const asked = [jobKey, begin, end, kind, where, taskKey, version, isDownstream, JSON.stringify(given)].join('\n')
  const [planned, setPlanned] = useState<{ asked: string; plan: CampaignPlan } | null>(null)
  const body = () => ({
    jobKey, beginTime: new Date(fromWall(begin, zone)).toISOString(), endTime: new Date(fromWall(end, zone)).toISOString(), concurrent, isCanary, isDownstream,
    ...(given.length ? { parameters: given } : {}),
    ...(isNew ? { kind } : { kind: 'RERUN', instances: kind, where, version, ...(where === 'NODE' ? { taskKey } : {}) }),
  })

  /** Sends what is chosen; an answer is `taken`, a problem shown. */
  async function send<T>(path: string, taken: (answer: T) => void, headers: Record<string, string> = {}) {
    setSending(true)
    setError(null)
    try {
      taken(await post<T>(path, body(), headers))
    } catch (problem) {
      setError(problem)
    }
    setSending(false)
  }
  function start(event: Event & { currentTarget: HTMLFormElement }) {
    event.preventDefault()
    const dialog = event.currentTarget.closest('dialog')
    void send<{ key: string }>('/rerunCampaigns', (made) => {
      dialog?.close()
      go(href(['campaigns', made.key]))
    }, { 'opc-retry-token': tokenOf(body()) })
  }
  function preview(event: { currentTarget: HTMLButtonElement }) {
    if (event.currentTarget.form?.reportValidity()) void send<CampaignPlan>('/rerunCampaigns/actions/plan', (plan) => setPlanned({ asked, plan }))
  }
  const choice = (label: string, value: string, set: (value: string) => void, options: [string, string][]) => (
    <label class="field">{label}
      <select value={value} onChange={(event) => set(event.currentTarget.value)}>{options.map(([id, text]) => <option key={id} value={id}>{text}</option>)}</select>
    </label>
  )
  return (
    <Dialog title={job ? `Rerun ${visible(job.name)}` : 'New campaign'} onClose={onClose}>
      <form onSubmit={start}>
        {!job && (
          <label class="field">Job
            <select required value={jobKey} onChange={(event) => setJobKey(event.currentTarget.value)}>
              <option value="">{jobs ? 'Choose a job' : 'Loading…'}</option>
              {jobs?.map((j) => <option key={j.key} value={j.key}>{visible(j.name)}</option>)}
            </select>
          </label>
        )}
        <div class="pair-fields">
          <label class="field">Planned from
            <input type="datetime-local" required value={begin} max={end} onInput={(event) => setBegin(event.currentTarget.value)} />
          </label>
          <label class="field">to
            <input type="datetime-local" required value={end} min={begin} onInput={(event) => setEnd(event.currentTarget.value)} />
          </label>
        </div>
        <p class="muted">{chosen?.schedule ? <>In <b>{visible(zoneOf(zone).name)}</b>, the zone of its schedule.</> : <>In <b>{visible(zoneOf(zone).name)}</b>, your zone{chosen && ': the job has no schedule'}.</>}</p>
        {choice('Which', kind, setKind, [
          ['UNSUCCESSFUL', 'runs that did not succeed'], ['ALL', 'all runs'], ['MISSING', 'planned times without a run'], ['SUPPLEMENT', 'a new run for each planned time'],
        ])}
        {kind === 'UNSUCCESSFUL' && <p class="muted">Runs that succeeded stay as they are. (<code>reprise rerun</code> takes all runs, unless <code class="nowrap">--instances</code> says otherwise.)</p>}
        {!isNew && kind !== 'MISSING' && choice('Run again', where, setWhere, [
          ['ERROR', 'what did not succeed'], ['FIRST', 'every task'], ['NODE', 'a task and all downstream of it'],
        ])}
        {!isNew && where === 'NODE' && (
          <label class="field">Task
            <select required value={taskKey} onChange={(event) => setTaskKey(event.currentTarget.value)}>
              <option value="">Choose a task</option>
              {chosen?.tasks.map((t) => <option key={t.taskKey} value={t.taskKey}>{visible(t.taskKey)}</option>)}
            </select>
          </label>
        )}
        {!isNew && choice('Definition', version, setVersion, [['ORIGINAL', 'as each run had it'], ['CURRENT', 'as the job has it now']])}
        <fieldset class="parameters">
          <legend>Parameters</legend>
          <p class="muted">Of every run that is made, and of every repair; of all jobs alike.</p>
          {parameters.map((pair, i) => (
            <PairFields key={i} pair={pair} names={isDownstream ? null : chosen?.parameters.map((p) => p.name) ?? null} whose="The job"
              onChange={(changed) => setParameters(parameters.map((p, j) => (i === j ? changed : p)))} onRemove={() => setParameters(parameters.filter((_, j) => i !== j))} />
          ))}
          <button type="button" class="small" onClick={() => setParameters([...parameters, { name: '', value: '' }])}>Add a parameter</button>
        </fieldset>
        <label class="field">At the same time
          <input type="number" min={1} max={MAX_CONCURRENT} required value={concurrent} onInput={(event) => setConcurrent(Number(event.currentTarget.value))} />
        </label>
        <label class="inline"><input type="checkbox" checked={isDownstream} onChange={(event) => setDownstream(event.currentTarget.checked)} />With the jobs that depend on it</label>
        <label class="inline"><input type="checkbox" checked={isCanary} onChange={(event) => setCanary(event.currentTarget.checked)} />The first one alone, the rest once it has succeeded</label>
        {planned?.asked === asked && error === null && <Preview plan={planned.plan} zone={zone} />}
        {error !== null && <Problem error={error} isOnce />}
        <footer>
          <button type="button" onClick={closeDialog}>Cancel</button>
          <button type="button" disabled={isSending} onClick={preview}>Preview</button>
          <button type="submit" class="primary" disabled={isSending}>{isSending ? 'Asking…' : 'Start'}</button>
        </footer>
      </form>
    </Dialog>
  )
}
