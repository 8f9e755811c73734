// Who changed what, and who was not let in: newest first.

import { useState } from 'preact/hooks'
import { accounts, call, jsonOf, workspaceKey } from './api'
import { useLive } from './live'
import { href } from './route'
import { Time } from './time'
import { Empty, Loading, Name, Problem, Table, visible } from './ui'

interface Entry {
  key: string
  time: string
  outcome: 'DONE' | 'REFUSED'
  action: string
  resourceType: string | null
  resourceKey: string | null
  workspaceKey: string | null
  target: string | null
  userName: string | null
  address: string | null
  requestId: string | null
  detail: string | null
}

const PAGE = 200
const SCREENS: Record<string, string> = { JOB: 'jobs', JOB_RUN: 'runs', RERUN_CAMPAIGN: 'campaigns' }
const KINDS: [string, string][] = [['', 'every change'], ['job', 'jobs'], ['run', 'runs'], ['campaign', 'campaigns'], ['user', 'users'], ['token', 'tokens'], ['secret', 'secrets']]

function About({ entry: { resourceType, resourceKey, target, ...entry } }: { entry: Entry }) {
  const screen = entry.workspaceKey === workspaceKey() ? SCREENS[resourceType ?? ''] : undefined
  const text = target ?? resourceKey ?? ''
  return screen && resourceKey ? <a href={href([screen, resourceKey])}><Name text={text} /></a> : <Name text={text} />
}

export function AuditTab() {
  const [typed, setTyped] = useState('')
  const [user, setUser] = useState('')
  const [action, setAction] = useState('')
  const [outcome, setOutcome] = useState('')
  const [pages, setPages] = useState(1)
  const { data, error, refresh } = useLive(`audit ${JSON.stringify([user, action, outcome])}`, async (signal) => {
    const items: Entry[] = []
    let page: string | null = null
    for (let i = 0; i < pages; i++) {
      const answer = await call(accounts('/audit', { limit: PAGE, user, action, outcome, page }), { signal })
      items.push(...(await jsonOf(answer)).items)
      page = answer.headers.get('opc-next-page')
      if (!page) break
    }
    return { items, next: page }
  }, { every: 10_000 })
  return (
    <>
      <div class="toolbar">
        <input type="search" data-search placeholder="User" aria-label="Only of this user" value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)} onChange={(event) => (setUser(event.currentTarget.value), setPages(1))} />
        <select aria-label="Only of this kind" value={action} onChange={(event) => (setAction(event.currentTarget.value), setPages(1))}>{KINDS.map(([id, text]) => <option key={id} value={id}>{text}</option>)}</select>
        <select aria-label="Only with this outcome" value={outcome} onChange={(event) => (setOutcome(event.currentTarget.value), setPages(1))}>
          <option value="">done and refused</option><option value="DONE">done</option><option value="REFUSED">refused</option>
        </select>
      </div>
      {error && <Problem error={error} />}
      {!data ? !error && <Loading /> : !data.items.length ? <Empty title="Nothing of that kind" /> : (
        <Table label="Audit" wrappedPx={96} items={data.items} keyOf={(entry) => entry.key} columns={[
          { title: 'Time', width: '9.5rem', narrow: 'n-auto', cell: (entry) => <Time at={entry.time} /> },
          { title: 'Who', width: 'minmax(7rem, 1fr)', narrow: 'n-grow', cell: (entry) => (entry.userName ? <Name text={entry.userName} /> : <span class="muted">nobody known</span>) },
          { title: 'Did', width: 'minmax(10rem, 1fr)', narrow: 'n-full', cell: (entry) => <span title={entry.requestId ?? ''}>{entry.outcome === 'REFUSED' && <strong class="tone-bad">refused </strong>}<code>{visible(entry.action)}</code></span> },
          { title: 'To', width: 'minmax(9rem, 1.3fr)', cell: (entry) => <About entry={entry} /> },
          { title: 'From', width: '9rem', cell: (entry) => <span class="muted">{visible(entry.address ?? '')}</span> },
          { title: 'With', width: 'minmax(8rem, 1.5fr)', cell: (entry) => <span class="muted ellipsis" title={entry.detail ?? ''}>{visible(entry.detail ?? '')}</span> },
        ]} />
      )}
      {data?.next && <p class="more"><button type="button" onClick={() => (setPages(pages + 1), refresh())}>Show older ones</button></p>}
    </>
  )
}
