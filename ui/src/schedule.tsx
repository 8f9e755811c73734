// A job's schedule: in words, switched on and off, and what it did not fire.

import { useState } from 'preact/hooks'
import { list, rewrite } from './api'
import { cronWords } from './cron'
import { useLive } from './live'
import { Planned, Time } from './time'
import type { Continuous, Job, JobSummary, Schedule, SkippedTimes } from './types'
import { Empty, Loading, Problem, Table, visible } from './ui'

// `whole`: with the expression behind its words; else that is shown on hover.
export function ScheduleText({ job: { schedule, continuous }, whole }: { job: Pick<JobSummary, 'schedule' | 'continuous'>; whole?: boolean }) {
  if (continuous)
    return <span class="ellipsis" title="One run after the other; after one that failed it waits, 10 s to 10 minutes">{isPaused(continuous) && <b>paused </b>}Continuously</span>
  if (!schedule) return <span class="muted">by hand</span>
  const words = cronWords(schedule.quartzCronExpression)
  return (
    <span class="ellipsis" title={`${schedule.quartzCronExpression}, ${schedule.timezoneId}`}>
      {isPaused(schedule) && <b>paused </b>}
      {words ? <>{words}{whole && <> <code class="muted">{visible(schedule.quartzCronExpression)}</code></>}</> : <code>{visible(schedule.quartzCronExpression)}</code>}
      {' '}<span class="muted">{visible(schedule.timezoneId)}</span>
    </span>
  )
}

export const isPaused = ({ pauseStatus }: Schedule | Continuous) => pauseStatus === 'PAUSED'

// On: the schedule fires, or one run follows the other. The whole definition is written back, with the etag that it was read with.
export function PauseSwitch({ job, mayChange, onDone }: { job: JobSummary; mayChange: boolean; onDone: () => void }) {
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const what = job.continuous ?? job.schedule
  if (!what || !mayChange) return null
  const paused = isPaused(what)
  const pauseStatus = paused ? 'UNPAUSED' : 'PAUSED'
  async function toggle() {
    setBusy(true)
    setError(null)
    try {
      await rewrite<Job>(`/jobs/${job.key}`, (whole) => ({
        ...whole, ...(whole.continuous ? { continuous: { ...whole.continuous, pauseStatus } } : { schedule: { ...whole.schedule!, pauseStatus } }),
      }))
      onDone()
    } catch (problem) {
      setError(problem)
    }
    setBusy(false)
  }
  return (
    <>
      <button type="button" class="switch" role="switch" aria-checked={!paused} aria-label={`Schedule of ${visible(job.name)}`}
        title={job.continuous ? (paused ? 'It is paused. Let it run continuously' : 'It runs continuously. Pause it')
          : paused ? 'The schedule is paused. Let it fire' : 'The schedule fires. Pause it'} disabled={isBusy} onClick={toggle}>
        <i aria-hidden="true" />{paused ? 'Off' : 'On'}
      </button>
      {error !== null && <Problem error={error} />}
    </>
  )
}

// Planned times that became no run, and why.
export function Skipped({ job }: { job: Job }) {
  const { data, error } = useLive<SkippedTimes[]>(`skipped ${job.key}`, async (signal) =>
    (await list<SkippedTimes>(`/jobs/${job.key}/skippedTimes`, { limit: 200 }, signal)).items, { every: 15_000 })
  const zone = job.schedule?.timezoneId
  if (!data) return error ? <Problem error={error} /> : <Loading />
  if (!data.length)
    return (
      <Empty title="No planned time was skipped">
        <p>What a schedule misses while the server is down, or skips because a change of the clock took the hour away, is listed here with its reason.</p>
      </Empty>
    )
  return (
    <Table label="Skipped planned times" items={data} keyOf={(s) => `${s.time} ${s.firstPlannedTime}`} wrappedPx={92} columns={[
      { title: 'Planned for', width: '15rem', cell: (s) => <Planned at={s.firstPlannedTime} zone={zone} /> },
      { title: 'Until', width: '15rem', cell: (s) => (s.count > 1 ? <Planned at={s.lastPlannedTime} zone={zone} /> : '') },
      { title: 'Times', width: '5rem', cell: (s) => <span class="num">{s.count >= 1000 ? '1,000 or more' : s.count}</span> },
      { title: 'Why', width: 'minmax(14rem, 2fr)', cell: (s) => <span class="ellipsis" title={s.reason}>{visible(s.reason)}</span> },
      { title: 'Found out', width: '10rem', cell: (s) => <Time at={s.time} /> },
    ]} />
  )
}
