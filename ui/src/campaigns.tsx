// Campaigns: all of them, and one as a grid of jobs against planned times.

import { useEffect, useMemo, useState } from 'preact/hooks'
import { getPage, list, mayOperate, post } from './api'
import { CampaignDialog } from './campaignnew'
import { POLL_MS, SLOW_MS, useLive } from './live'
import { useZones } from './planned'
import { useRights } from './rights'
import { amend, go, href, route } from './route'
import { Pill, Shape, word } from './states'
import { Planned, Time, both } from './time'
import type { Campaign, CampaignCell, CampaignCounts, CampaignSummary, Status } from './types'
import { Dialog, Empty, Key, Loading, Message, Missing, Name, Problem, Table, closeDialog, useRows, useSide, visible } from './ui'
import { type Zone, plannedText, zoneOf, zonedClock, zonedDay } from './zone'

const PARTS: [keyof CampaignCounts, Status][] = [
  ['success', 'SUCCESS'], ['failed', 'FAILED'], ['running', 'RUNNING'], ['blocked', 'BLOCKED'], ['canceled', 'CANCELED'],
  ['skipped', 'SKIPPED'], ['waiting', 'WAITING'],
]
const CELL_WORDS: Partial<Record<Status, string>> = { BLOCKED: 'Waiting for one that failed', WAITING: 'Waiting for its turn', SKIPPED: 'Left out' }
const COUNT_WORDS: Partial<Record<Status, string>> = { BLOCKED: 'blocked', WAITING: 'waiting', SKIPPED: 'left out' } // of several
const countWord = (status: Status) => COUNT_WORDS[status] ?? word(status).toLowerCase()
const cellWord = (status: Status) => CELL_WORDS[status] ?? word(status)

const isOver = (status: Status) => ['SUCCESS', 'FAILED', 'CANCELED'].includes(status)

// A bar of parts, and the same in words.
function Progress({ counts }: { counts: CampaignCounts }) {
  const parts = PARTS.filter(([name]) => counts[name] > 0)
  const text = parts.map(([name, status]) => `${counts[name]} ${countWord(status)}`).join(', ')
  return (
    <span class="parts" role="img" aria-label={text} title={text}>
      {parts.map(([name, status]) => <i key={name} class={`part-${name}`} data-status={status} style={{ flexGrow: counts[name] }} />)}
    </span>
  )
}

const done = (counts: CampaignCounts) => counts.success + counts.failed + counts.skipped + counts.canceled

// ---- all ----

export function CampaignsScreen() {
  useEffect(() => {
    document.title = 'Campaigns – Reprise'
  }, [])
  const [pages, setPages] = useState(1)
  const [isAsking, setAsking] = useState(false)
  const { data, error, refresh } = useLive('campaigns', async (signal) => {
    const items: CampaignSummary[] = []
    let next: string | null = null
    for (let i = 0; i < pages; i++) {
      const page: { items: CampaignSummary[]; next: string | null } = await list<CampaignSummary>('/rerunCampaigns', { limit: 100, page: next }, signal)
      items.push(...page.items)
      next = page.next
      if (!next) break
    }
    return { items, next }
  }, { stream: '/events' })
  const zone = useZones(data?.items.map((c) => c.jobKey) ?? [])
  return (
    <div class="screen">
      <div class="title-row">
        <h1>Campaigns</h1>
        <span class="grow" />
        {mayOperate.value && <button type="button" class="primary" onClick={() => setAsking(true)}>New campaign…</button>}
      </div>
      {error && <Problem error={error} />}
      {!data ? !error && <Loading /> : !data.items.length ? (
        <Empty title="There is no campaign yet">
          <p>A campaign reruns all runs of a range of planned times as one thing: in order, some at a time, with the jobs that depend on them. It can be paused, and one run of it repaired.</p>
          {mayOperate.value && (
            <>
              <p>Press <b>New campaign…</b>, or type</p>
              <pre>reprise rerun JOB --from 2026-11-25T00:00:00Z --to 2026-11-26T00:00:00Z --concurrent 4</pre>
            </>
          )}
        </Empty>
      ) : (
        <Table label="Campaigns" rowPx={40} wrappedPx={112} items={data.items} keyOf={(c) => c.key} onOpen={(c) => go(href(['campaigns', c.key]))} columns={[
          { title: 'Campaign', width: 'minmax(10rem, 1.4fr)', cell: (c) => <a class="strong" href={href(['campaigns', c.key])}><Name text={c.name} /></a> },
          { title: 'State', width: '9.5rem', cell: (c) => <Pill status={c.status} /> },
          { title: 'Progress', width: 'minmax(9rem, 1fr)', cell: (c) => <span class="row"><Progress counts={c.cellCounts} /><span class="num">{done(c.cellCounts)} of {c.cellCount}</span></span> },
          { title: 'Planned times', width: 'minmax(14rem, 1.6fr)', cell: (c) => <span class="muted"><Planned at={c.beginTime} zone={zone(c.jobKey)} isNamed /> to <Planned at={c.endTime} zone={zone(c.jobKey)} /></span> },
          { title: 'Asked for', width: '13rem', cell: (c) => <span class="muted"><Time at={c.timeCreated} />{c.createdByName && <> by <Name text={c.createdByName} /></>}</span> },
        ]} />
      )}
      {data?.next && <p class="more"><button type="button" onClick={() => (setPages(pages + 1), refresh())}>Show older campaigns</button></p>}
      {isAsking && <CampaignDialog job={null} onClose={() => setAsking(false)} />}
    </div>
  )
}

// ---- one ----

// With all its cells: 10,000 at most, a thousand a page.
async function readCampaign(key: string, signal: AbortSignal): Promise<Campaign> {
  const path = `/rerunCampaigns/${encodeURIComponent(key)}`
  const cells: CampaignCell[] = []
  for (let page: string | null = null; ; ) {
    const answer: { body: Campaign; next: string | null } = await getPage<Campaign>(path, { limit: 1000, page }, signal)
    cells.push(...answer.body.cells)
    page = answer.next
    if (!page) return { ...answer.body, cells }
  }
}

export function CampaignScreen({ campaignKey }: { campaignKey: string }) {
  // One that has FAILED goes on when the run of a cell is repaired.
  const { data: campaign, error, refresh } = useLive<Campaign>(`campaign ${campaignKey}`, (signal) => readCampaign(campaignKey, signal),
    { isActive: ({ status }) => status === 'FAILED' || !isOver(status), stream: '/events', every: ({ status }) => (isOver(status) ? SLOW_MS : POLL_MS) })
  const [asksCancel, setAsksCancel] = useState(false)
  const [refusal, setRefusal] = useState<unknown>(null)
  const zone = useZones(campaign ? [campaign.jobKey] : [])(campaign?.jobKey ?? '')
  useEffect(() => {
    if (campaign) document.title = `${word(campaign.status)}: ${visible(campaign.name)} – Reprise`
  }, [campaign?.status, campaign?.name])
  if (!campaign) return error ? <Missing error={error} what="campaign"><a href={href(['campaigns'])}>All campaigns</a></Missing> : <Loading />
  async function act(action: 'pause' | 'resume' | 'cancel') {
    try {
      await post(`/rerunCampaigns/${campaignKey}/actions/${action}`, {})
      setRefusal(null)
    } catch (problem) {
      setRefusal(problem)
    }
    refresh()
  }
  const { status, cellCounts: counts } = campaign
  return (
    <div class="screen campaign">
      <header class="run-head">
        <div class="crumbs"><a href={href(['campaigns'])}>Campaigns</a> / <Key value={campaign.key} /></div>
        <div class="title-row">
          <h1><Name text={campaign.name} /></h1><Pill status={status} big />
          <span class="grow" />
          {mayOperate.value && ['PENDING', 'RUNNING'].includes(status) && <button type="button" onClick={() => act('pause')}>Pause</button>}
          {mayOperate.value && ['PAUSED', 'FAILED'].includes(status) && <button type="button" class="primary" onClick={() => act('resume')}>Resume</button>}
          {mayOperate.value && !isOver(status) && <button type="button" class="danger" onClick={() => setAsksCancel(true)}>Cancel campaign</button>}
        </div>
        {campaign.stateMessage && campaign.stateMessage !== word(status) && <p class="reason"><Message text={campaign.stateMessage} /></p>}
        <dl class="facts">
          <div><dt>Planned times</dt><dd><Planned at={campaign.beginTime} zone={zone} isNamed /> to <Planned at={campaign.endTime} zone={zone} /></dd></div>
          <div><dt>At the same time</dt><dd>{campaign.concurrent}{campaign.isCanary ? ', the first alone' : ''}</dd></div>
          <div><dt>What</dt><dd>{campaign.kind === 'SUPPLEMENT' ? 'a new run for each' : WHERE[campaign.where] ?? campaign.where}{campaign.taskKey && <> <Name text={campaign.taskKey} /></>}</dd></div>
          {campaign.kind === 'RERUN' && <div><dt>Definition</dt><dd>{campaign.version === 'CURRENT' ? 'as it is now' : 'as each run had it'}</dd></div>}
          {campaign.parameters.length > 0 && (
            <div><dt>Parameters</dt><dd>{campaign.parameters.map(({ name, value }) => <div key={name}><Name text={name} /> = <code>{visible(value ?? '') || 'empty'}</code></div>)}</dd></div>
          )}
          <div><dt>Asked for</dt><dd><Time at={campaign.timeCreated} />{campaign.createdByName && <> by <Name text={campaign.createdByName} /></>}</dd></div>
          {campaign.timeFinished && <div><dt>Ended</dt><dd><Time at={campaign.timeFinished} /></dd></div>}
        </dl>
        <div class="row wrap">
          <Progress counts={counts} />
          <span role="status">{PARTS.filter(([name]) => counts[name] > 0).map(([name, s]) => (
            <span key={name} class="part-word"><Shape status={s} /> {counts[name]} {countWord(s)}</span>
          ))}</span>
        </div>
      </header>
      {error && <Problem error={error} />}
      {refusal !== null && <Problem error={refusal} />}
      <CellGrid campaign={campaign} zoneName={zone} />
      {asksCancel && (
        <Dialog title="Cancel this campaign?" onClose={() => setAsksCancel(false)}>
          <p>Its active runs are cancelled, nothing more starts. What has succeeded stays.</p>
          <footer>
            <button type="button" onClick={closeDialog}>Let it go on</button>
            <button type="button" class="danger" autoFocus onClick={(event) => (closeDialog(event), act('cancel'))}>Cancel campaign</button>
          </footer>
        </Dialog>
      )}
    </div>
  )
}

const WHERE: Record<string, string> = { FIRST: 'every task', ERROR: 'what did not succeed', NODE: 'from' }

const ROW_PX = 28
const COLUMN_PX = 30

// The day where it begins, seconds where there are any.
function columnTime(time: string, before: string | undefined, zone: Zone) {
  const day = zonedDay(Date.parse(time), zone)
  return before && zonedDay(Date.parse(before), zone) === day ? zonedClock(Date.parse(time), zone) : plannedText(Date.parse(time), zone)
}

// Of a planned time that has several runs each has a column of its own.
function placed(cells: CampaignCell[]) {
  const runs = new Map<string, number>() // of a planned time, of the job that has most
  const counts = new Map<string, number>() // of a job at a planned time
  const byPlace = new Map<string, CampaignCell>()
  for (const cell of cells) {
    const place = `${cell.jobKey} ${cell.plannedTime}`
    const run = counts.get(place) ?? 0
    counts.set(place, run + 1)
    byPlace.set(`${place} ${run}`, cell)
    runs.set(cell.plannedTime, Math.max(runs.get(cell.plannedTime) ?? 0, run + 1))
  }
  const columns = [...runs.keys()].sort().flatMap((time) => Array.from({ length: runs.get(time)! }, (_, run) => ({ time, run })))
  return { columns, byPlace }
}

function CellGrid({ campaign, zoneName }: { campaign: Campaign; zoneName: string | null }) {
  const zone = zoneOf(zoneName)
  const { columns, byPlace } = useMemo(() => placed(campaign.cells), [campaign.cells])
  const rows = useRows(campaign.jobs.length, ROW_PX)
  const [view, setView] = useState({ left: 0, width: 800 })
  const [focus, setFocus] = useState<[number, number]>([0, 0])
  const box = rows.ref
  const measure = () => {
    const at = box.current
    if (at) setView((v) => (v.left === at.scrollLeft && v.width === at.clientWidth ? v : { left: at.scrollLeft, width: at.clientWidth }))
  }
  useEffect(measure, [])
  const from = Math.max(0, Math.floor(view.left / COLUMN_PX) - 4)
  const shown = columns.slice(from, Math.ceil((view.left + view.width) / COLUMN_PX) + 4)
  const opened = campaign.cells.find((cell) => cell.position === Number(route.value.query.get('cell') ?? NaN))
  const place = (column: number) => ({ left: `calc(var(--grid-names) + ${column * COLUMN_PX}px)` })
  const whole = { width: `calc(var(--grid-names) + ${columns.length * COLUMN_PX}px)` }

  function onKeyDown(event: KeyboardEvent) {
    const [r, c] = focus
    const to = ({
      ArrowUp: [r - 1, c], ArrowDown: [r + 1, c], ArrowLeft: [r, c - 1], ArrowRight: [r, c + 1], Home: [r, 0], End: [r, columns.length - 1],
    } as Record<string, [number, number]>)[event.key]
    if (!to) return
    event.preventDefault()
    const row = Math.max(0, Math.min(campaign.jobs.length - 1, to[0]))
    const column = Math.max(0, Math.min(columns.length - 1, to[1]))
    setFocus([row, column])
    const at = box.current!
    at.scrollTop = Math.max(Math.min(at.scrollTop, row * ROW_PX), (row + 5) * ROW_PX - at.clientHeight)
    at.scrollLeft = Math.max(Math.min(at.scrollLeft, column * COLUMN_PX), (column + 10) * COLUMN_PX - at.clientWidth)
    const cell = () => at.querySelector<HTMLElement>(`[data-cell="${row}.${column}"]`)
    if (cell()) cell()!.focus() // at once: whoever types fast means this cell
    else requestAnimationFrame(() => cell()?.focus())
  }
  return (
    <div class={`panel with-side alone${opened ? ' open' : ''}`}>
      <div class="main">
        <div class="grid tall" ref={box} role="grid" aria-label="Jobs against planned times" aria-rowcount={campaign.jobs.length + 1} aria-colcount={columns.length + 1}
          tabIndex={-1} onKeyDown={onKeyDown} onScroll={() => (rows.onScroll(), measure())}>
          <div class="grid-head" role="row" style={whole}>
            <div class="grid-corner" role="columnheader"><span>Job<br /><Name text={zone.name} /></span></div>
            {shown.map(({ time, run }, i) => (
              <div key={`${time} ${run}`} role="columnheader" class="grid-run" style={place(from + i)}>
                <time dateTime={time} title={`${plannedText(Date.parse(time), zone)} ${zone.name}\n${both(Date.parse(time))}`}>{run ? `run ${run + 1}` : columnTime(time, columns[from + i - 1]?.time, zone)}</time>
              </div>
            ))}
          </div>
          <div class="grid-rows" role="presentation" style={{ height: `${campaign.jobs.length * ROW_PX}px`, ...whole }}>
            {campaign.jobs.slice(rows.first, rows.last).map((job, i) => {
              const row = rows.first + i
              return (
                <div key={job.jobKey} class="grid-row" role="row" aria-rowindex={row + 2} style={{ top: `${row * ROW_PX}px` }}>
                  <div class="grid-name" role="rowheader"><a href={href(['jobs', job.jobKey])} tabIndex={-1}><Name text={job.name} /></a></div>
                  {shown.map(({ time, run }, j) => {
                    const column = from + j
                    const cell = byPlace.get(`${job.jobKey} ${time} ${run}`)
                    const text = `${visible(job.name)}, ${plannedText(Date.parse(time), zone)} ${zone.name}${run ? `, run ${run + 1}` : ''}: ${cell ? cellWord(cell.status) : 'not part of it'}`
                    return (
                      <div key={`${time} ${run}`} role="gridcell" aria-colindex={column + 2} class="grid-cell" style={place(column)}>
                        <button type="button" data-cell={`${row}.${column}`} tabIndex={focus[0] === row && focus[1] === column ? 0 : -1}
                          data-status={cell?.status ?? ''} aria-label={text} title={cell?.reason ? `${text}\n${visible(cell.reason)}` : text}
                          aria-expanded={cell && opened === cell} onFocus={() => setFocus([row, column])}
                          onClick={() => cell && amend({ cell: opened === cell ? null : cell.position })}>
                          {cell && <Shape status={cell.status} size={15} />}
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
      {opened && <CellPanel campaign={campaign} cell={opened} zone={zoneName} onClose={() => amend({ cell: null })} />}
    </div>
  )
}

// One cell: where it is and why, its run, and what can be done about it.
function CellPanel({ campaign, cell, zone, onClose }: { campaign: Campaign; cell: CampaignCell; zone: string | null; onClose: () => void }) {
  const { mayRun } = useRights(cell.jobKey)
  const side = useSide(cell.position, onClose)
  const others = (positions: number[], title: string) => positions.length > 0 && (
    <section>
      <h3>{title}</h3>
      <ul class="decisions">
        {positions.slice(0, 20).map((position) => {
          const other = campaign.cells[position]
          return other && (
            <li key={position}>
              <button type="button" class="link" onClick={() => amend({ cell: position })}>
                <Shape status={other.status} /> <Name text={other.jobName ?? ''} />, <Planned at={other.plannedTime} zone={zone} />
              </button>
            </li>
          )
        })}
        {positions.length > 20 && <li class="muted">and {positions.length - 20} more</li>}
      </ul>
    </section>
  )
  return (
    <aside class="side" ref={side} aria-label={`Cell ${visible(cell.jobName ?? '')}`}>
      <header>
        <h2><Name text={cell.jobName ?? ''} /></h2>
        <button type="button" class="quiet" aria-label="Close" onClick={onClose}>✕</button>
      </header>
      <p class="row"><Shape status={cell.status} /> <strong>{cellWord(cell.status)}</strong></p>
      {cell.reason && <p><Message text={cell.reason} /></p>}
      <div class="actions">
        {cell.jobRunKey && <a class="button" href={href(['runs', cell.jobRunKey], { repair: cell.repairKey })}>Open its run</a>}
        {cell.jobRunKey && mayRun && cell.status === 'FAILED' && (
          <a class="button primary" href={href(['runs', cell.jobRunKey, 'repair'])}>Repair its run…</a>
        )}
      </div>
      <dl class="facts column">
        <div><dt>Planned for</dt><dd><Planned at={cell.plannedTime} zone={zone} /></dd></div>
        <div><dt>Order</dt><dd class="num">{cell.position + 1} of {campaign.cellCount}</dd></div>
        <div><dt>Started</dt><dd><Time at={cell.timeStarted} none="Not yet" /></dd></div>
        {cell.timeFinished && <div><dt>Ended</dt><dd><Time at={cell.timeFinished} /></dd></div>}
      </dl>
      {others(cell.needs, 'Starts when these have succeeded')}
      {others(cell.follows, 'Starts when these have ended')}
    </aside>
  )
}
