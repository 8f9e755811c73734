// The graph as a picture: pan by dragging, zoom with the buttons or Ctrl and the wheel, and every task reachable by
// keyboard (arrows walk along dependencies).

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { type Direction, type Layout, type Link, MANY_TASKS, NODE_H, NODE_W, cutMiddle, dependencies, place } from './graphlib'
import { Shape, isFinal, isUnsuccessful, look } from './states'
import type { Status, TaskDef } from './types'
import { visible } from './ui'

export interface NodeView {
  status: Status | null
  detail: string // second line
  reason: string // read aloud, and shown on hover
  badge?: { text: string; tone: string; title?: string }
  isDim?: boolean
}

interface Props {
  tasks: TaskDef[]
  view: (key: string) => NodeView
  current?: string | null // open beside the graph
  centre?: { key: string } | null // to be in the middle while it is the current one: anew with every object
  begins?: string // a big graph begins at this task, where none is open or chosen; undefined: not known yet
  chosen?: Set<string> // for a repair; undefined: nothing is chosen here
  onOpen: (key: string) => void
  label: string
}

const MIN_ZOOM = 0.08
const MAX_ZOOM = 2.5
const BEGIN_ZOOM = 0.8
const READABLE_ZOOM = 0.6
const WHOLE_ZOOM = 0.3 // down to here the whole is seen first: its states still tell something

// The layout changes with the definition only, not with states.
function useLayout(tasks: TaskDef[], direction: Direction): Layout {
  const signature = useMemo(
    () => JSON.stringify([direction, tasks.map((task) => [task.taskKey, dependencies(task).map((d) => [d.taskKey, d.outcome])])]),
    [tasks, direction])
  return useMemo(() => place(tasks, direction), [signature])
}

const scale = (box: HTMLElement, layout: Layout) => Math.min(box.clientWidth / layout.width, box.clientHeight / layout.height)

export function Graph(props: Props) {
  const [direction, setDirection] = useState<Direction>('LR')
  const layout = useLayout(props.tasks, direction)
  const frame = useRef<HTMLDivElement>(null)
  // A long chain in a narrow place is drawn downwards, if it can be read then and cannot otherwise.
  useLayoutEffect(() => {
    const box = frame.current
    if (!box || props.tasks.length > MANY_TASKS) return setDirection('LR')
    const choose = () => {
      if (!box.clientWidth) return
      const across = scale(box, place(props.tasks))
      setDirection(across < READABLE_ZOOM && scale(box, place(props.tasks, 'TB')) > across * 1.2 ? 'TB' : 'LR')
    }
    choose()
    const observer = new ResizeObserver(choose)
    observer.observe(box)
    return () => observer.disconnect()
  }, [props.tasks])
  return <div class="graph" ref={frame}><Drawing {...props} layout={layout} /></div>
}

interface View {
  x: number
  y: number
  k: number
}

function Drawing({ tasks, view, current, centre, begins, chosen, onOpen, label, layout }: Props & { layout: Layout }) {
  const frame = useRef<HTMLDivElement>(null)
  const [at, setAt] = useState<View | null>(null)
  const moved = useRef(false)
  const drag = useRef<{ x: number; y: number; moved: boolean } | null>(null)
  const defs = useMemo(() => new Map(tasks.map((task) => [task.taskKey, task])), [tasks])
  const now = useRef({ current, centre, begins, chosen }) // for who comes later than the drawing: the graph's box changes its size
  now.current = { current, centre, begins, chosen }
  const spots = useMemo(() => new Map(layout.nodes.map((n) => [n.key, n])), [layout])

  function fit() {
    const box = frame.current
    if (!box || !box.clientWidth) return
    const k = Math.max(MIN_ZOOM, Math.min(1, scale(box, layout)))
    setAt({ k, x: Math.max(0, (box.clientWidth - layout.width * k) / 2), y: Math.max(0, (box.clientHeight - layout.height * k) / 2) })
  }
  // A big graph begins where the reader is, in a size that can be read, rather than whole and unreadable.
  function begin() {
    const box = frame.current
    if (!box || !box.clientWidth) return
    const { current, centre, begins, chosen } = now.current
    // Whoever is sent here by the name of a task finds it in the middle, in a size that can be read.
    const sent = centre && centre.key === current ? spots.get(centre.key) : undefined
    if (sent)
      return setAt((v) => {
        const k = Math.max(READABLE_ZOOM, v?.k ?? BEGIN_ZOOM)
        return { k, x: box.clientWidth / 2 - sent.x * k, y: box.clientHeight / 2 - sent.y * k }
      })
    if (scale(box, layout) >= WHOLE_ZOOM) return fit()
    const spot = spots.get(current ?? [...(chosen ?? [])][0] ?? begins ?? '') ?? layout.nodes[0]
    const along = (size: number, whole: number, at: number) =>
      whole <= size ? (size - whole) / 2 : Math.max(size - whole, Math.min(0, size / 2 - at))
    setAt({
      k: BEGIN_ZOOM,
      x: along(box.clientWidth, layout.width * BEGIN_ZOOM, (spot?.x ?? 0) * BEGIN_ZOOM),
      y: along(box.clientHeight, layout.height * BEGIN_ZOOM, (spot?.y ?? 0) * BEGIN_ZOOM),
    })
  }
  useLayoutEffect(() => {
    if (!moved.current) begin()
  }, [begins === undefined])
  useLayoutEffect(begin, [layout])
  // Beside a panel there is less room: as long as nobody moved the graph, it is placed anew.
  useEffect(() => {
    const box = frame.current
    if (!box) return
    const observer = new ResizeObserver(() => !moved.current && begin())
    observer.observe(box)
    return () => observer.disconnect()
  }, [layout])

  const isCentred = !!centre && centre.key === current
  useLayoutEffect(() => {
    if (!isCentred) return
    moved.current = false
    begin()
  }, [centre, isCentred])

  function zoom(factor: number, px?: number, py?: number) {
    const box = frame.current
    if (!box) return
    moved.current = true
    const cx = px ?? box.clientWidth / 2
    const cy = py ?? box.clientHeight / 2
    setAt((v) => {
      if (!v) return v
      const k = Math.max(MIN_ZOOM, Math.min(MAX_ZOOM, v.k * factor))
      return { k, x: cx - ((cx - v.x) * k) / v.k, y: cy - ((cy - v.y) * k) / v.k }
    })
  }

  useEffect(() => {
    const box = frame.current
    if (!box) return
    const wheel = (event: WheelEvent) => {
      event.preventDefault()
      moved.current = true
      const edge = box.getBoundingClientRect()
      if (event.ctrlKey || event.metaKey) zoom(Math.exp(-event.deltaY / 300), event.clientX - edge.left, event.clientY - edge.top)
      else setAt((v) => v && { ...v, x: v.x - (event.shiftKey ? event.deltaY : event.deltaX), y: v.y - (event.shiftKey ? 0 : event.deltaY) })
    }
    box.addEventListener('wheel', wheel, { passive: false })
    return () => box.removeEventListener('wheel', wheel)
  }, [])

  function focus(key: string | undefined) {
    if (key === undefined) return
    const element = frame.current?.querySelector<SVGGElement>(`[data-node="${CSS.escape(key)}"]`)
    element?.focus()
  }
  // Keeps the node with the focus in sight.
  function reveal(key: string) {
    const box = frame.current
    const spot = spots.get(key)
    if (!box || !spot) return
    setAt((v) => {
      if (!v) return v
      const left = (spot.x - NODE_W / 2) * v.k + v.x
      const top = (spot.y - NODE_H / 2) * v.k + v.y
      const dx = left < 8 ? 8 - left : Math.min(0, box.clientWidth - 8 - (left + NODE_W * v.k))
      const dy = top < 8 ? 8 - top : Math.min(0, box.clientHeight - 8 - (top + NODE_H * v.k))
      return dx || dy ? { ...v, x: v.x + dx, y: v.y + dy } : v
    })
  }

  function onNodeKey(event: KeyboardEvent, key: string) {
    const spot = spots.get(key)!
    const nearest = (wanted: (x: number, y: number) => number | null) => {
      let best: string | undefined
      let least = Infinity
      for (const node of layout.nodes) {
        const cost = node.key === key ? null : wanted(node.x - spot.x, node.y - spot.y)
        if (cost !== null && cost < least) [best, least] = [node.key, cost]
      }
      return best
    }
    const moves: Record<string, () => string | undefined> = {
      ArrowRight: () => nearest((x, y) => (x > 10 ? x + 3 * Math.abs(y) : null)),
      ArrowLeft: () => nearest((x, y) => (x < -10 ? -x + 3 * Math.abs(y) : null)),
      ArrowDown: () => nearest((x, y) => (y > 10 ? y + 3 * Math.abs(x) : null)),
      ArrowUp: () => nearest((x, y) => (y < -10 ? -y + 3 * Math.abs(x) : null)),
      Home: () => layout.nodes[0]?.key,
      End: () => layout.nodes.at(-1)?.key,
    }
    if (event.key === 'Enter' || event.key === ' ') onOpen(key)
    else if (moves[event.key]) focus(moves[event.key]())
    else if (event.key === '+') zoom(1.25)
    else if (event.key === '-') zoom(0.8)
    else if (event.key === '0') fit()
    else return
    event.preventDefault()
  }

  const visibleNodes = useVisible(layout, at, frame.current)
  const entry = current && spots.has(current) ? current : layout.nodes[0]?.key
  // The same objects while the picture is only moved: nothing of it is looked at again.
  const drawn = useMemo(() => (
    <>
        {layout.links.filter((l) => visibleNodes.has(l.from) || visibleNodes.has(l.to)).map((link) => (
          <Edge key={`${link.from}\u0000${link.to}`} link={link} from={view(link.from)} to={view(link.to)} direction={layout.direction} />
        ))}
        {layout.nodes.filter((n) => visibleNodes.has(n.key)).map((node) => (
          <Node key={node.key} x={node.x - NODE_W / 2} y={node.y - NODE_H / 2} task={defs.get(node.key)!}
            view={view(node.key)} isCurrent={node.key === current} isChosen={chosen?.has(node.key)}
            tabIndex={node.key === entry ? 0 : -1}
            onOpen={() => onOpen(node.key)} onFocus={() => reveal(node.key)} onKey={(event) => onNodeKey(event, node.key)} />
        ))}
    </>
  ), [visibleNodes, layout, tasks, view, current, chosen])
  return (
    <>
      <div class="graph-frame" ref={frame}
        onPointerDown={(event) => {
          if (event.button === 0 && !(event.target as Element).closest('[data-node]')) {
            drag.current = { x: event.clientX, y: event.clientY, moved: false }
            ;(event.currentTarget as Element).setPointerCapture(event.pointerId)
          }
        }}
        onPointerMove={(event) => {
          const from = drag.current
          if (!from) return
          const [dx, dy] = [event.clientX - from.x, event.clientY - from.y]
          drag.current = { x: event.clientX, y: event.clientY, moved: true }
          moved.current = true
          setAt((v) => v && { ...v, x: v.x + dx, y: v.y + dy })
        }}
        onPointerUp={() => (drag.current = null)} onPointerCancel={() => (drag.current = null)}>
        <svg role="group" aria-label={label} width="100%" height="100%">
          <g transform={at ? `translate(${at.x} ${at.y}) scale(${at.k})` : ''} visibility={at ? 'visible' : 'hidden'}>
            {drawn}
          </g>
        </svg>
      </div>
      <div class="zoom" role="group" aria-label="Zoom">
        <button type="button" aria-label="Zoom in" title="Zoom in (+)" onClick={() => zoom(1.25)}>+</button>
        <button type="button" aria-label="Zoom out" title="Zoom out (−)" onClick={() => zoom(0.8)}>−</button>
        <button type="button" title="Show the whole graph (0)" onClick={() => ((moved.current = false), fit())}>Fit</button>
      </div>
    </>
  )
}

// What can be seen, with some room around it: a graph of a thousand tasks is drawn only where one looks. The first
// node always, because the keyboard enters there. It is the same set until the picture has moved by an eighth.
function useVisible(layout: Layout, at: View | null, box: HTMLDivElement | null): Set<string> {
  const isWhole = layout.nodes.length <= MANY_TASKS
  const isPlaced = !isWhole && at !== null && box !== null && box.clientWidth > 0 // else nothing: it is drawn once it has its place
  const [w, h] = isPlaced ? [box.clientWidth / at.k, box.clientHeight / at.k] : [0, 0]
  const [x, y] = !isPlaced ? [0, 0] : [Math.round((-at.x / at.k / w) * 8), Math.round((-at.y / at.k / h) * 8)]
  return useMemo(() => {
    if (isWhole) return new Set(layout.nodes.map((n) => n.key))
    if (!isPlaced) return new Set<string>()
    const [left, top] = [(x * w) / 8, (y * h) / 8]
    const near = layout.nodes.filter((n, i) =>
      i === 0 || (n.x > left - w / 4 && n.x < left + 1.25 * w && n.y > top - h / 4 && n.y < top + 1.25 * h))
    return new Set(near.map((n) => n.key))
  }, [layout, isWhole, isPlaced, w, h, x, y])
}

// Names are cut where the box ends, by the width that they will have.
const rulers = new Map<string, CanvasRenderingContext2D | null>()

function cut(text: string, px: number, font: string, tail?: number) {
  const width = widthIn(font)
  return cutMiddle(visible(text), (part) => width(part) <= px, tail)
}

function widthIn(font: string) {
  let ruler = rulers.get(font)
  if (ruler === undefined) {
    ruler = document.createElement('canvas').getContext('2d')
    if (ruler) ruler.font = `${font} ${getComputedStyle(document.body).fontFamily}`
    rulers.set(font, ruler)
  }
  return (text: string) => ruler?.measureText(text).width ?? text.length * 7
}

const TITLE = '600 13.5px'
const DETAIL = '12px'

function Node({ x, y, task, view, isCurrent, isChosen, tabIndex, onOpen, onFocus, onKey }: {
  x: number
  y: number
  task: TaskDef
  view: NodeView
  isCurrent: boolean
  isChosen: boolean | undefined
  tabIndex: number
  onOpen: () => void
  onFocus: () => void
  onKey: (event: KeyboardEvent) => void
}) {
  const { tone, word } = look(view.status)
  const room = NODE_W - 36 - 8
  const title = useMemo(() => cut(task.taskKey, room - (isChosen === undefined ? 0 : 20), TITLE), [task.taskKey, isChosen === undefined])
  const badge = view.badge?.text.length ?? 0
  const detail = useMemo(() => cut(view.detail, room - (badge ? badge * 6.6 + 8 : 0), DETAIL, 0), [view.detail, badge])
  // On hover, and read aloud: all of what is cut in the picture.
  const lines = [visible(task.taskKey), view.detail.endsWith(word) ? view.detail : `${word}, ${view.detail}`, view.badge?.title ?? view.badge?.text,
    view.reason === word ? '' : visible(view.reason)]
  const choice = isChosen === undefined ? { role: 'button' as const } : { role: 'checkbox' as const, 'aria-checked': isChosen }
  const classes = ['node', `tone-${tone}`, isCurrent && 'current', isChosen && 'chosen', view.isDim && 'dim']
  return (
    <g class={classes.filter(Boolean).join(' ')} transform={`translate(${x} ${y})`} data-node={task.taskKey}
      {...choice} tabindex={tabIndex /* in SVG the name of an attribute keeps its case: tabIndex would be none */} data-status={view.status ?? ''}
      onClick={onOpen} onFocus={onFocus} onKeyDown={onKey}>
      <title>{lines.filter(Boolean).join('.\n')}</title>
      <rect class="body" width={NODE_W} height={NODE_H} rx="8" />
      <svg x="11" y={NODE_H / 2 - 8} width="16" height="16"><Shape status={view.status} size={16} /></svg>
      <text class="title" x="36" y="19">{title}</text>{' '}
      <text class="detail" x="36" y="35">{detail}</text>{' '}
      {view.badge && (
        <text class={`badge tone-${view.badge.tone}`} x={NODE_W - 10} y="35" text-anchor="end">{view.badge.text}</text>
      )}
      {isChosen !== undefined && (
        <g class="check" transform={`translate(${NODE_W - 24} 8)`}>
          <rect width="14" height="14" rx="3" />
          {isChosen && <path d="M3 7.2l2.8 2.8L11 4.4" />}
        </g>
      )}
    </g>
  )
}

// What an edge has come to: it led on, it stopped what follows, or it is not decided yet.
function edgeKind(link: Link, from: NodeView, to: NodeView) {
  if (!isFinal(from.status)) return 'open'
  if (from.status === 'EXCLUDED' || (link.outcome && to.status === 'EXCLUDED')) return 'off'
  return isUnsuccessful(from.status) ? 'bad' : 'ok'
}

// Through all points, each time in the direction in which dependencies lead.
function path(points: { x: number; y: number }[], direction: Direction) {
  return points.map(({ x, y }, i) => {
    if (i === 0) return `M${x} ${y}`
    const from = points[i - 1]
    const [mx, my] = [(from.x + x) / 2, (from.y + y) / 2]
    return direction === 'LR' ? `C${mx} ${from.y} ${mx} ${y} ${x} ${y}` : `C${from.x} ${my} ${x} ${my} ${x} ${y}`
  }).join('')
}

function Edge({ link, from, to, direction }: { link: Link; from: NodeView; to: NodeView; direction: Direction }) {
  const kind = edgeKind(link, from, to)
  const middle = link.points[Math.floor(link.points.length / 2)]
  const end = link.points.at(-1)!
  return (
    <g class={`edge ${kind}`}>
      <path class="line" d={path(link.points, direction)} />
      <path class="arrow" d="M-7 -4L0 0L-7 4z" transform={`translate(${end.x} ${end.y})${direction === 'TB' ? ' rotate(90)' : ''}`} />
      {link.outcome && (
        <g transform={`translate(${middle.x} ${middle.y})`}>
          <rect class="outcome" x="-19" y="-9" width="38" height="18" rx="9" />
          <text class="outcome" text-anchor="middle" y="4">{cut(link.outcome, 34, '11px', 0)}</text>
        </g>
      )}
    </g>
  )
}
