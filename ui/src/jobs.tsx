// All jobs: what each is called, when it runs by itself, how its last runs went.

import { useEffect, useRef, useState } from 'preact/hooks'
import { get, list, mayEdit, mayOperate } from './api'
import { type Listener, useLive } from './live'
import { go, href } from './route'
import { Strip, StartDialog } from './runlist'
import { PauseSwitch, ScheduleText } from './schedule'
import { Pill } from './states'
import { Planned, Time } from './time'
import type { Job, JobSummary, RunSummary, WorkspaceEvent } from './types'
import { CopyText, Empty, Loading, Name, Problem, Table, visible } from './ui'

const RUNS = 20
const JUST_ASKED_MS = 2000 // what was asked for so lately is not asked for again because the stream opens

// The last runs of each job that is looked at, kept current by the newest runs of the workspace, and by what its stream says of
// older ones, which may be repaired. What happened before a stream is not in it: with its opening what is looked at is asked for anew.
function useLastRuns() {
  const runs = useRef(new Map<string, RunSummary[]>())
  const asked = useRef(new Set<string>())
  const moved = useRef(new Map<string, string>()) // runs that something happened in, with their jobs
  const begun = useRef(performance.now())
  const [, setVersion] = useState(0)
  const listener: Listener<WorkspaceEvent> = {
    onOpen: () => {
      if (performance.now() - begun.current < JUST_ASKED_MS) return
      asked.current.clear()
      setVersion((v) => v + 1)
    },
    onItem: ({ jobRunKey, jobKey }) => moved.current.set(jobRunKey, jobKey),
  }
  useLive('newest runs', async (signal) => {
    const { items } = await list<RunSummary>('/jobRuns', { limit: 100 }, signal)
    let changed = false
    for (const run of items) {
      const known = runs.current.get(run.jobKey)
      if (!known) continue
      const old = known.find((r) => r.key === run.key)
      if (old?.timeUpdated === run.timeUpdated) continue
      const next = [run, ...known.filter((r) => r.key !== run.key)]
      next.sort((a, b) => b.timeCreated.localeCompare(a.timeCreated) || b.key.localeCompare(a.key))
      runs.current.set(run.jobKey, next.slice(0, RUNS))
      changed = true
    }
    // Older than these, or of a job whose answer is on its way and may be from before: that job is asked for anew.
    const newest = new Set(items.map((run) => run.key))
    for (const [key, jobKey] of moved.current) {
      if (!newest.has(key) || !runs.current.has(jobKey)) changed = asked.current.delete(jobKey) || changed
    }
    moved.current.clear()
    if (changed) setVersion((v) => v + 1)
    return items.length
  }, { stream: '/events', listener })
  return (jobKey: string) => {
    if (!asked.current.has(jobKey)) {
      asked.current.add(jobKey)
      list<RunSummary>('/jobRuns', { jobKey, limit: RUNS }).then(({ items }) => {
        // Answers may overtake each other: of each run what is newer.
        const known = new Map(runs.current.get(jobKey)?.map((run) => [run.key, run]))
        const newer = (run: RunSummary) => (known.has(run.key) && known.get(run.key)!.timeUpdated > run.timeUpdated ? known.get(run.key)! : run)
        runs.current.set(jobKey, items.map(newer))
        setVersion((v) => v + 1)
      }, () => asked.current.delete(jobKey))
    }
    return runs.current.get(jobKey)
  }
}

export function JobsScreen() {
  useEffect(() => {
    document.title = 'Jobs – Reprise'
  }, [])
  const [text, setText] = useState('')
  const [pages, setPages] = useState(1)
  const [starting, setStarting] = useState<Job | null>(null)
  const [problem, setProblem] = useState<unknown>(null)
  const { data, error, refresh } = useLive(`jobs ${text}`, async (signal) => {
    const items: JobSummary[] = []
    let next: string | null = null
    for (let i = 0; i < pages; i++) {
      const page: { items: JobSummary[]; next: string | null } = await list<JobSummary>('/jobs',
        { displayNameContains: text, limit: 500, page: next, sortBy: 'displayName', sortOrder: 'ASC' }, signal)
      items.push(...page.items)
      next = page.next
      if (!next) break
    }
    return { items, next }
  }, { every: 5000 })
  const lastRuns = useLastRuns()

  async function start(job: JobSummary) {
    try {
      setStarting(await get<Job>(`/jobs/${job.key}`))
      setProblem(null)
    } catch (refusal) {
      setProblem(refusal)
    }
  }

  return (
    <div class="screen">
      <div class="title-row">
        <h1>Jobs</h1>
        <input type="search" data-search placeholder="Find a job" aria-label="Find a job by a part of its name" value={text} onInput={(event) => setText(event.currentTarget.value)} />
        <span class="grow" />
        {mayEdit.value && <a class="button" href={href(['jobs', 'new'])}>New job…</a>}
      </div>
      {problem !== null && <Problem error={problem} />}
      {error && <Problem error={error} />}
      {!data ? !error && <Loading /> : !data.items.length ? (text ? <Empty title="No job has that in its name" /> : <FirstJob />) : (
        <Table label="Jobs" rowPx={44} wrappedPx={104} items={data.items} keyOf={(job) => job.key} onOpen={(job) => go(href(['jobs', job.key]))} columns={[
          { title: 'Job', width: 'minmax(10rem, 1.2fr)', narrow: 'n-grow', cell: (job) => <a class="strong" href={href(['jobs', job.key])}><Name text={job.name} /></a> },
          { title: 'Schedule', width: 'minmax(10rem, 1.5fr)', narrow: 'n-grow n-2', cell: (job) => <><ScheduleText job={job} />{job.nextRunTime && <div class="muted n-not">next {job.schedule ? <Planned at={job.nextRunTime} zone={job.schedule.timezoneId} isNamed /> : <Time at={job.nextRunTime} />}</div>}</> },
          { title: 'Fires', width: '4.2rem', narrow: 'n-2', cell: (job) => <PauseSwitch job={job} mayChange={mayEdit.value} onDone={refresh} /> },
          { title: 'Last run', width: 'minmax(12rem, 16rem)', narrow: 'n-grow n-3', cell: (job) => {
            const last = lastRuns(job.key)?.[0]
            return last ? <a class="plain-link" href={href(['runs', last.key])}><Pill status={last.state.status} /> <Time at={last.startTime ?? last.timeCreated} /></a> : <span class="muted">never</span>
          } },
          { title: `Last ${RUNS} runs`, width: '13rem', narrow: 'n-3', cell: (job) => <Strip runs={lastRuns(job.key)} max={RUNS} /> },
          { title: 'Run it', width: '5rem', narrow: 'n-1', cell: (job) => mayOperate.value && <button type="button" aria-label={`Run ${visible(job.name)}`} onClick={() => start(job)}>Run…</button> },
        ]} />
      )}
      {data?.next && <p class="more"><button type="button" onClick={() => (setPages(pages + 1), refresh())}>Show more jobs</button></p>}
      {starting && <StartDialog job={starting} onClose={() => setStarting(null)} />}
    </div>
  )
}

const EXAMPLE = `cd DATA/workspace   # DATA: the server's data folder; or the folder given as --workspace
echo 'print("hello")' > hello.py
cat > hello.yaml <<'END'
name: hello
tasks:
  - {taskKey: greet, type: PYTHON_TASK, filePath: hello.py}
END
reprise job create -f hello.yaml
reprise run start hello --watch`

function FirstJob() {
  return (
    <Empty title="There is no job yet">
      <p>A job is a list of tasks and what each waits for.</p>
      {mayEdit.value && <p><a class="button primary" href={href(['jobs', 'new'])}>New job…</a></p>}
      <p>Or make one on the command line; it appears here at once.</p>
      <pre>{EXAMPLE}</pre>
      <CopyText text={EXAMPLE} />
    </Empty>
  )
}
