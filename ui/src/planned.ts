// For which times of their schedules runs stand: asked for those that are looked at, a hundred at a time, and once, for
// a planned time does not change.

import { useEffect, useState } from 'preact/hooks'
import { list } from './api'
import type { PlannedRun, RunSummary, JobSummary } from './types'

const AT_ONCE = 100
const MOST_KNOWN = 20_000

// null: it stands for none. What nobody has answered yet is not in it.
const known = new Map<string, PlannedRun | null>()
const pending = new Set<string>() // asked for and not answered: a list is drawn again meanwhile
const waiting = new Set<() => void>()
let next: string[] = [] // those of the pending ones that go into the next call

async function ask() {
  const keys = next
  next = []
  let isAnswered = false
  for (let i = 0; i < keys.length; i += AT_ONCE) {
    const some = keys.slice(i, i + AT_ONCE)
    try {
      const { items } = await list<PlannedRun>('/plannedRuns', { jobRunKey: some })
      if (known.size > MOST_KNOWN) known.clear()
      for (const key of some) known.set(key, null)
      for (const item of items) known.set(item.jobRunKey, item)
      isAnswered = true
    } catch {
      // the list of runs itself says what is wrong; the next drawing asks again
    }
    for (const key of some) pending.delete(key)
  }
  if (isAnswered) for (const tell of waiting) tell()
}

// What is called for a run while it is drawn. Only a schedule or a campaign makes runs for planned times.
export function usePlanned(): (run: Pick<RunSummary, 'key' | 'launched'>) => PlannedRun | null {
  const [, setVersion] = useState(0)
  useEffect(() => {
    const tell = () => setVersion((v) => v + 1)
    waiting.add(tell)
    return () => void waiting.delete(tell)
  }, [])
  return (run) => {
    if (run.launched !== 'SCHEDULED') return null
    const found = known.get(run.key)
    if (found !== undefined) return found
    if (pending.has(run.key)) return null
    pending.add(run.key)
    if (!next.length) setTimeout(ask)
    next.push(run.key)
    return null
  }
}

// ---- the zones of jobs' schedules ----

const zones = new Map<string, { at: number; zone: string | null }>()
const ZONE_MS = 60_000

// As of a minute ago or less; null where a job has no schedule, or is gone.
export function useZones(jobKeys: string[]): (jobKey: string) => string | null {
  const [, setVersion] = useState(0)
  const wanted = [...new Set(jobKeys)].filter((key) => !zones.has(key) || zones.get(key)!.at < Date.now() - ZONE_MS).slice(0, AT_ONCE)
  useEffect(() => {
    if (!wanted.length) return
    list<JobSummary>('/jobs', { jobKey: wanted, limit: AT_ONCE }).then(({ items }) => {
      for (const key of wanted) zones.set(key, { at: Date.now(), zone: null })
      for (const job of items) zones.set(job.key, { at: Date.now(), zone: job.schedule?.timezoneId ?? null })
      setVersion((v) => v + 1)
    }, () => undefined)
  }, [wanted.join()])
  return (jobKey) => zones.get(jobKey)?.zone ?? null
}
