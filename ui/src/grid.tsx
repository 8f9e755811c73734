// A job's tasks against its runs, oldest on the left as on a calendar: 1,000 × 1,000 of them, drawn where one looks.

import { Component, render } from 'preact'
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { list } from './api'
import { dayMarks } from './daymarks'
import { type Grid as GridData, runTime, statusOf, summaryOf } from './griddata'
import { useLive } from './live'
import { outputOf } from './output'
import { amend, href, route } from './route'
import { tookMs } from './runlist'
import { Pill, Shape, isFinal, isUnsuccessful, word } from './states'
import { Planned, Time, Took, duration } from './time'
import type { GridAnswer, GridRun, Job, Status, TaskSummary } from './types'
import { Key, Message, Name, Problem, useRows, useSide, visible } from './ui'

const ROW_PX = 28
const COLUMN_PX = 26
const DAY_COLUMNS = 2 // a day is about as wide
const STEP = 4 // columns come and go so many at a time: a scroll by a pixel changes nothing
const CELLS_A_FRAME = 160 // new ones, while one scrolls
const OLDER_PX = 20 * COLUMN_PX // from the oldest column on: the ones before it are asked for

type Place = [row: number, column: number]

const left = (column: number) => ({ left: `calc(var(--grid-names) + ${column * COLUMN_PX}px)` })

export function Grid({ job, grid, mayRun }: { job: Job; grid: GridData; mayRun: boolean }) {
  const data = grid.data!
  const columns = useMemo(() => [...data.runs].reverse(), [data.runs])
  const rows = useRows(data.taskKeys.length, ROW_PX)
  const [view, setView] = useState(() => ({ left: Math.max(0, (columns.length + 2) * COLUMN_PX - innerWidth), width: innerWidth }))
  const [focus, setFocus] = useState<Place>([0, columns.length - 1])
  const wanted = useRef(focus) // is ahead of what is drawn: whoever types fast means the cell that the keys before led to
  const goTo = (place: Place) => setFocus(wanted.current = place)
  const longest = useMemo(() => Math.max(1, ...columns.map((run) => tookMs(summaryOf(job.key, run)))), [columns])
  // A line between days, where days are groups.
  const days = useMemo(() => dayMarks(columns, job, DAY_COLUMNS), [columns, job])
  const manyADay = useMemo(() => days.filter((day) => day.isFirst).length < columns.length / 3, [days])
  const frame = rows.ref
  const turns = useMemo(() => new Turns(), [])
  const focusWanted = () => frame.current?.querySelector<HTMLElement>(`[data-cell="${wanted.current.join('.')}"]`)?.focus()
  const hadFocus = !!frame.current?.contains(document.activeElement) // its cell may be out of sight for a moment

  const measure = () => {
    const box = frame.current
    if (!box) return
    const at = Math.floor(box.scrollLeft / COLUMN_PX / STEP) * STEP * COLUMN_PX
    setView((v) => (v.left === at && v.width === box.clientWidth ? v : { left: at, width: box.clientWidth }))
    if (box.scrollLeft < OLDER_PX) grid.older()
  }
  // The newest is in sight at first; when older ones are put before them, what is in sight stays. New ones on the
  // right are followed by whoever was at the right end.
  const before = useRef<{ columns: GridRun[]; taskKeys: string[] } | null>(null)
  useLayoutEffect(() => {
    const box = frame.current
    if (!box) return
    const was = before.current
    before.current = { columns, taskKeys: data.taskKeys }
    if (!was) box.scrollLeft = box.scrollWidth
    else {
      const placeOf = (run: GridRun | undefined) => columns.findIndex(({ key }) => key === run?.key)
      const [r, c] = wanted.current
      const [row, column] = [data.taskKeys.indexOf(was.taskKeys[r]), placeOf(was.columns[c])]
      const place: Place = [row < 0 ? Math.min(r, data.taskKeys.length - 1) : row, column < 0 ? Math.min(c, columns.length - 1) : column]
      if (place[0] !== r || place[1] !== c) goTo(place)
      const added = placeOf(was.columns[0])
      const dropped = was.columns.findIndex(({ key }) => key === columns[0]?.key)
      const wasAtEnd = box.scrollLeft + box.clientWidth >= gridWidth(box, was.columns.length) - COLUMN_PX
      if (added > 0) box.scrollLeft += added * COLUMN_PX
      else if (wasAtEnd && columns.length !== was.columns.length) box.scrollLeft = box.scrollWidth
      else if (!wasAtEnd && dropped > 0) box.scrollLeft -= dropped * COLUMN_PX
      if (hadFocus && !box.contains(document.activeElement)) requestAnimationFrame(focusWanted)
    }
    measure()
  }, [columns])

  const from = Math.max(0, Math.floor(view.left / COLUMN_PX / STEP) * STEP - STEP)
  const to = Math.min(columns.length, Math.ceil((view.left + view.width) / COLUMN_PX) + 2 * STEP)
  const shown = useMemo(() => columns.slice(from, to).map((run) => {
    const [at, ms] = [runTime(run, job), tookMs(summaryOf(job.key, run))]
    return { run, text: `run of ${at}`, title: `${word(run.status)}, ${run.plannedTime ? 'planned for ' : ''}${at}, ${duration(ms)}`, barPx: Math.round(4 + 30 * Math.sqrt(ms / longest)) }
  }), [columns, from, to, longest, job])
  const query = route.value.query
  const opened = { run: data.byKey.get(query.get('run') ?? ''), task: data.taskKeys.indexOf(query.get('task') ?? '') }
  const hasPanel = opened.run && opened.task >= 0

  function onKeyDown(event: KeyboardEvent) {
    const [r, c] = wanted.current
    if ((event.key === 'Enter' || event.key === ' ') && cellOf(event)) {
      event.preventDefault()
      return open(wanted.current)
    }
    const to = ({
      ArrowUp: [r - 1, c], ArrowDown: [r + 1, c], ArrowLeft: [r, c - 1], ArrowRight: [r, c + 1], Home: [r, 0], End: [r, columns.length - 1],
      PageUp: [r - 15, c], PageDown: [r + 15, c],
    } as Record<string, Place>)[event.key]
    if (!to) return
    event.preventDefault()
    const row = Math.max(0, Math.min(data.taskKeys.length - 1, to[0]))
    const column = Math.max(0, Math.min(columns.length - 1, to[1]))
    goTo([row, column])
    const box = frame.current!
    box.scrollTop = Math.max(Math.min(box.scrollTop, row * ROW_PX), (row + 4) * ROW_PX - box.clientHeight)
    box.scrollLeft = Math.max(Math.min(box.scrollLeft, column * COLUMN_PX), (column + 12) * COLUMN_PX - box.clientWidth)
    requestAnimationFrame(focusWanted)
  }
  // One handler for all cells.
  const cellOf = (event: Event) =>
    (event.target as Element).closest<HTMLElement>('[data-cell]')?.dataset.cell?.split('.').map(Number) as Place | undefined
  function open(place: Place | undefined) {
    const run = place && columns[place[1]]
    if (!run) return
    const isOpen = opened.run === run && opened.task === place[0]
    amend(isOpen ? { run: null, task: null } : { run: run.key, task: data.taskKeys[place[0]] })
  }

  return (
    <div class={`with-side in-panel${hasPanel ? ' open' : ''}`}>
      <div class="main">
        <div class="grid" ref={frame} role="grid" aria-label="Tasks against runs" aria-rowcount={data.taskKeys.length + 1} aria-colcount={columns.length + 1}
          tabIndex={-1} onKeyDown={onKeyDown} onScroll={() => (rows.onScroll(), measure())}>
          <div class="grid-head" role="row" style={{ width: `calc(var(--grid-names) + ${columns.length * COLUMN_PX}px)` }}>
            <div class="grid-corner" role="columnheader">Task</div>
            {shown.map(({ run, text, title, barPx }, i) => (
              <div key={run.key} role="columnheader" class={`grid-run${manyADay && days[from + i].isFirst ? ' new-day' : ''}`} style={left(from + i)}>
                {days[from + i].text && <span class="grid-day">{days[from + i].text}</span>}
                <a href={href(['runs', run.key])} tabIndex={-1} aria-label={`R${text.slice(1)}: ${word(run.status)}`} title={title}>
                  <i class={`grid-bar tone-${barTone(run.status)}`} style={{ height: `${barPx}px` }} />
                  <Shape status={run.status} size={12} />
                </a>
              </div>
            ))}
          </div>
          <div class="grid-rows" role="presentation" style={{ height: `${data.taskKeys.length * ROW_PX}px`, width: `calc(var(--grid-names) + ${columns.length * COLUMN_PX}px)` }}
            onClick={(event) => open(cellOf(event))} onPointerOver={nameCell} onFocusIn={(event) => {
              const place = cellOf(event)
              if (place) goTo(place)
            }}>
            {data.taskKeys.slice(rows.first, rows.last).map((key, i) => {
              const row = rows.first + i
              return (
                <Row key={key} row={row} taskKey={key} data={data} shown={shown} from={from} turns={turns}
                  focus={focus[0] === row ? focus[1] : -1} open={hasPanel && opened.task === row ? opened.run!.key : ''} />
              )
            })}
          </div>
        </div>
      </div>
      {hasPanel && <CellPanel job={job} run={opened.run!} mayRun={mayRun} taskKey={data.taskKeys[opened.task]} status={statusOf(data, opened.run!, opened.task)} />}
    </div>
  )
}

// What is under the pointer, in words: of that cell alone, for a thousand have them only to be read aloud.
function nameCell(event: Event) {
  const cell = (event.target as Element).closest<HTMLElement>('[data-cell]')
  if (cell && !cell.title) cell.title = cell.getAttribute('aria-label') ?? ''
}

const gridWidth = (box: HTMLElement, columns: number) =>
  parseFloat(getComputedStyle(box).getPropertyValue('--grid-names')) + columns * COLUMN_PX

interface RowProps {
  row: number
  taskKey: string
  data: GridAnswer
  shown: { run: GridRun; text: string }[]
  from: number
  focus: number // the column that the keyboard enters at, -1: another row
  open: string // key of the run whose cell is open, '': none here
  turns: Turns
}

// Cells of rows that come into sight faster than they can be drawn wait for a frame with room. The first screen does not.
class Turns {
  private waiting = new Set<Row>()
  private left = Infinity
  private frame = 0

  // May the row draw so many now? Else it is told when.
  take(row: Row, cells: number) {
    this.frame ||= requestAnimationFrame(() => this.next())
    if (this.left <= 0) this.waiting.add(row)
    else this.left -= cells
    return !this.waiting.has(row)
  }
  leave(row: Row) {
    this.waiting.delete(row)
  }
  private next() {
    this.frame = 0
    this.left = CELLS_A_FRAME
    for (const row of this.waiting) {
      if (this.left <= 0) break
      this.waiting.delete(row)
      this.left -= row.draw()
    }
    if (this.waiting.size) this.frame = requestAnimationFrame(() => this.next())
  }
}

// Drawn anew only when something in it changes: while one scrolls, rows come and go, and those that stay stay. Each has
// its own place, for what moves is painted anew.
class Row extends Component<RowProps> {
  private hasCells: boolean

  constructor(props: RowProps) {
    super(props)
    this.hasCells = props.focus >= 0 || props.turns.take(this, props.shown.length)
  }
  draw() {
    this.hasCells = true
    this.forceUpdate()
    return this.props.shown.length
  }
  shouldComponentUpdate(next: RowProps) {
    const now = this.props
    if (next.focus >= 0) this.hasCells = true
    if (now.row !== next.row || now.taskKey !== next.taskKey || now.data !== next.data || now.focus !== next.focus || now.open !== next.open) return true
    if (!this.hasCells || (now.shown === next.shown && now.from === next.from)) return false
    return next.focus >= 0 || next.turns.take(this, 2 * STEP)
  }
  componentWillUnmount() {
    this.props.turns.leave(this)
  }
  render({ row, taskKey, data, shown, from, focus, open }: RowProps) {
    const name = visible(taskKey)
    return (
      <div class="grid-row" role="row" aria-rowindex={row + 2} style={{ top: `${row * ROW_PX}px` }}>
        <div class="grid-name" role="rowheader"><Name text={taskKey} /></div>
        <div class="cells" role="presentation" style={{ marginLeft: `${from * COLUMN_PX}px` }}>
          {this.hasCells && shown.map(({ run, text }, i) => {
            const column = from + i
            const status = statusOf(data, run, row)
            return (
              <div key={run.key} role="gridcell" aria-colindex={column + 2} class="cell" data-cell={`${row}.${column}`} data-status={status ?? ''}
                tabIndex={focus === column ? 0 : -1} aria-selected={open === run.key || undefined}
                aria-label={`${name}, ${text}: ${status ? word(status) : 'not part of it'}`} ref={(cell) => void (cell && stamp(cell, status))} />
            )
          })}
        </div>
      </div>
    )
  }
}

// Shapes of cells are copied from one of each state: a screen of cells is made in half the time that way.
const stamps = new Map<Status, Node>()

function stamp(cell: HTMLElement & { stamped?: Status | null }, status: Status | null) {
  if (cell.stamped === status) return
  cell.stamped = status
  if (!status) return cell.replaceChildren()
  if (!stamps.has(status)) {
    const desk = document.createElement('div')
    render(<Shape status={status} size={15} />, desk)
    stamps.set(status, desk.firstChild!)
  }
  cell.replaceChildren(stamps.get(status)!.cloneNode(true))
}

const barTone = (status: Status) =>
  status === 'SUCCESS' ? 'ok' : isFinal(status) ? (status === 'CANCELED' || status === 'SKIPPED' ? 'off' : 'bad') : 'run'

// One task in one run: how it stands and why, and where to go from there.
function CellPanel({ job, run, mayRun, taskKey, status }: { job: Job; run: GridRun; mayRun: boolean; taskKey: string; status: Status | null }) {
  const onClose = () => amend({ run: null, task: null })
  const { data, error } = useLive<TaskSummary | null>(`cell ${run.key} ${taskKey} ${run.timeUpdated}`, async (signal) =>
    (await list<TaskSummary>('/taskRuns', { jobRunKey: run.key, displayName: taskKey, limit: 1 }, signal)).items[0] ?? null, { isActive: () => false })
  const side = useSide(`${run.key} ${taskKey}`, onClose)
  const message = data?.state.stateMessage
  const trace = data?.state.errorTrace
  const output = outputOf(run.key, job.tasks.find((t) => t.taskKey === taskKey)?.type, data, null)
  return (
    <aside class="side" ref={side} aria-label={`Task ${visible(taskKey)}`}>
      <header>
        <h2><Name text={taskKey} /></h2>
        <button type="button" class="quiet" aria-label="Close" onClick={onClose}>✕</button>
      </header>
      {status ? <Pill status={status} /> : <p>This run had no such task.</p>}
      {message && message !== word(status) && <p><Message text={message} /></p>}
      <div class="actions">
        <a class="button primary" href={href(['runs', run.key], { task: taskKey })}>Open run</a>
        {output && <a class="button" href={output.to}>{output.text}</a>}
        {mayRun && status && isFinal(run.status) && (
          <a class="button" href={href(['runs', run.key, 'repair'], { tasks: taskKey })}>{isUnsuccessful(status) ? 'Repair…' : 'Run this task again…'}</a>
        )}
      </div>
      {error && <Problem error={error} />}
      <dl class="facts column">
        <div><dt>Run</dt><dd><a href={href(['runs', run.key])}><Key value={run.key} /></a> <Shape status={run.status} /> {word(run.status)}</dd></div>
        <div><dt>Launched</dt><dd>{run.launched === 'SCHEDULED' ? 'By its schedule' : `By hand, by ${visible(run.createdByName ?? 'somebody')}`}</dd></div>
        {run.plannedTime && <div><dt>Planned for</dt><dd><Planned at={run.plannedTime} zone={job.schedule?.timezoneId} /></dd></div>}
        <div><dt>Run began</dt><dd><Time at={run.startTime ?? run.timeCreated} /></dd></div>
        {data && <div><dt>Started</dt><dd><Time at={data.startTime} none="Not started" /></dd></div>}
        {data?.startTime && <div><dt>Took</dt><dd><Took from={data.startTime} to={data.endTime} isActive={!isFinal(status)} /></dd></div>}
        {!!data?.retryAttempt && <div><dt>Attempts</dt><dd class="num">{data.retryAttempt + 1}</dd></div>}
      </dl>
      {trace && <section><h3>End of its error output</h3><pre class="trace" tabIndex={0}>{trace}</pre></section>}
    </aside>
  )
}
