// What differs between two versions of a definition, in words; and which versions a job has.

import { useMemo, useRef } from 'preact/hooks'
import { get, isNotFound, listAll } from './api'
import { diffLines } from './linediff'
import { useLive } from './live'
import { Value, withoutUnset } from './runtabs'
import type { DefinitionDiff, ParameterChange, Version, WholeVersion } from './types'
import { Empty, Loading, Name, Problem, visible } from './ui'

const MAX_SHOWN = 50
const VERSIONS_A_PAGE = 100
const MOST_VERSIONS = 1000 // in a list of choices; the address leads to any

export const differs = (diff: DefinitionDiff | null | undefined): boolean =>
  !!diff && [diff.added, diff.removed, diff.rewired, diff.changed, diff.fields, diff.parameters].some((part) => part?.length)

export function Difference({ diff }: { diff: DefinitionDiff }) {
  if (!differs(diff)) return <p class="muted">Nothing differs.</p>
  const rows: [string, string, string][] = [
    ...(diff.added ?? []).map((key): [string, string, string] => ['+', key, 'new']),
    ...(diff.removed ?? []).map((key): [string, string, string] => ['−', key, 'gone']),
    ...(diff.changed ?? []).map(({ taskKey, fields }): [string, string, string] => ['~', taskKey, fields.join(', ')]),
    ...(diff.rewired ?? []).map(({ taskKey, gained, lost }): [string, string, string] =>
      ['⤳', taskKey, [gained.length ? `waits for ${gained.join(', ')}` : '', lost.length ? `no longer for ${lost.join(', ')}` : ''].filter(Boolean).join('; ')]),
  ]
  return (
    <div class="difference">
      {rows.length > 0 && (
        <ul>
          {rows.slice(0, MAX_SHOWN).map(([sign, key, text]) => (
            <li key={sign + key}><code aria-hidden="true">{sign}</code> <Name text={key} /> <span class="muted">{visible(text)}</span></li>
          ))}
          {rows.length > MAX_SHOWN && <li class="muted">and {rows.length - MAX_SHOWN} more</li>}
        </ul>
      )}
      {!!diff.fields?.length && <p>Of the job: {diff.fields.map(visible).join(', ')}</p>}
      {!!diff.parameters?.length && <ParameterChanges changes={diff.parameters} title="The job's own parameters" />}
    </div>
  )
}

export function ParameterChanges({ changes, title }: { changes: ParameterChange[]; title: string }) {
  return (
    <table class="plain compact">
      <caption>{title}</caption>
      <tbody>
        {changes.map((p) => (
          <tr key={p.name}><th scope="row"><Name text={p.name} /></th><td><Value text={p.old} /></td><td aria-label="becomes">→</td><td><Value text={p.new} /></td></tr>
        ))}
      </tbody>
    </table>
  )
}

// Two versions of a definition line by line; what is the same far from a change is folded away.
const CONTEXT = 3

export function VersionText({ jobKey, from, to }: { jobKey: string; from: number; to: number }) {
  const { data, error } = useLive<string[]>(`text ${jobKey} ${from} ${to}`, async (signal) => {
    const wholes = await Promise.all([from, to].map((version) => get<WholeVersion>(`/jobs/${jobKey}/versions/${version}`, {}, signal)))
    return wholes.map((whole) => JSON.stringify(withoutUnset(whole.definition), null, 2))
  }, { isActive: () => false })
  if (!data) return !error ? <Loading /> : isNotFound(error) ? <NoVersion /> : <Problem error={error} />
  return <Lines before={data[0]} after={data[1]} label={`Version ${from} becomes version ${to}`} />
}

export const NoVersion = () => <Empty title="There is no such version"><p>The job never had it.</p></Empty>

export function Lines({ before, after, label }: { before: string; after: string; label: string }) {
  return useMemo(() => {
    const lines = diffLines(before.split('\n'), after.split('\n'))
    if (!lines.some((line) => line.sign !== ' ')) return <p class="pad muted">Nothing differs.</p>
    const near = lines.map((_, i) => lines.slice(Math.max(0, i - CONTEXT), i + CONTEXT + 1).some((line) => line.sign !== ' '))
    return (
      <div class="json">
        <pre class="diff" tabIndex={0} aria-label={label}>
          {lines.map((line, i) => near[i]
            ? <div key={i} class={{ '+': 'new', '-': 'gone', ' ': '' }[line.sign]}>{line.sign} {visible(line.text)}</div>
            : near[i - 1] || i === 0 ? <div key={i} class="muted">⋯</div> : null)}
        </pre>
      </div>
    )
  }, [before, after, label])
}

// Newest first, the newest thousand. Empty while they are read; null where the server does not list them, or the job is gone.
export function useVersions(jobKey: string, stamp: string | number = ''): Version[] | null {
  const known = useRef<{ of: string; versions: Version[] | null }>({ of: '', versions: [] })
  const { data } = useLive<Version[] | null>(`versions ${jobKey} ${stamp}`, (signal) => listVersions(jobKey, signal), { isActive: () => false })
  if (data !== undefined) known.current = { of: jobKey, versions: data }
  return known.current.of === jobKey ? known.current.versions : []
}

async function listVersions(jobKey: string, signal: AbortSignal): Promise<Version[] | null> {
  try {
    return await listAll<Version>(`/jobs/${jobKey}/versions`, { limit: VERSIONS_A_PAGE }, signal, MOST_VERSIONS)
  } catch (error) {
    if (isNotFound(error)) return null
    throw error
  }
}
