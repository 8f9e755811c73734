// The graph of a definition: who is upstream of whom, and where to draw it.

import { Graph, layout } from '@dagrejs/dagre'
import { layered } from './layers'
import type { TaskDef } from './types'

export const NODE_W = 178
export const NODE_H = 46

export interface Placed {
  key: string
  x: number
  y: number
}

export interface Link {
  from: string
  to: string
  outcome: string | null
  points: { x: number; y: number }[]
}

// Which way dependencies lead: to the right, or down where that is the only way to be seen.
export type Direction = 'LR' | 'TB'

export interface Layout {
  direction: Direction
  nodes: Placed[]
  links: Link[]
  width: number
  height: number
}

export const dependencies = (task: TaskDef) => task.dependsOn ?? []

export const MANY_TASKS = 150 // more are placed by what is fast

function placeMany(tasks: TaskDef[]): Layout {
  const index = new Map(tasks.map((task, i) => [task.taskKey, i]))
  const found = tasks.flatMap((task, to) => dependencies(task).flatMap(({ taskKey, outcome }) => {
    const from = index.get(taskKey)
    return from === undefined ? [] : [{ from, to, outcome: outcome ?? null }]
  }))
  const { tasks: spots, bends, width, height } = layered(tasks.length, found.map(({ from, to }) => [from, to]),
    { width: NODE_W, height: NODE_H, across: 56, apart: 16, margin: 16 })
  return {
    direction: 'LR', width, height,
    nodes: tasks.map((task, i) => ({ key: task.taskKey, ...spots[i] })),
    links: found.map(({ from, to, outcome }, i) => ({
      from: tasks[from].taskKey, to: tasks[to].taskKey, outcome,
      points: [{ x: spots[from].x + NODE_W / 2, y: spots[from].y }, ...bends[i], { x: spots[to].x - NODE_W / 2, y: spots[to].y }],
    })),
  }
}

// Keys are somebody's text, so the library gets numbers.
export function place(tasks: TaskDef[], direction: Direction = 'LR'): Layout {
  if (tasks.length > MANY_TASKS) return placeMany(tasks)
  const index = new Map(tasks.map((task, i) => [task.taskKey, i]))
  const graph = new Graph({ multigraph: false })
  graph.setGraph({
    rankdir: direction, nodesep: 16, ranksep: direction === 'LR' ? 42 : 34, edgesep: 10, marginx: 16, marginy: 16,
    ranker: 'network-simplex',
  })
  graph.setDefaultEdgeLabel(() => ({}))
  tasks.forEach((_, i) => graph.setNode(`t${i}`, { width: NODE_W, height: NODE_H }))
  tasks.forEach((task, i) => {
    for (const { taskKey, outcome } of dependencies(task)) {
      const from = index.get(taskKey)
      if (from !== undefined)
        graph.setEdge(`t${from}`, `t${i}`, outcome ? { width: 34, height: 16, labelpos: 'c' } : {})
    }
  })
  layout(graph)
  const links: Link[] = []
  tasks.forEach((task, i) => {
    for (const { taskKey, outcome } of dependencies(task)) {
      const from = index.get(taskKey)
      if (from === undefined) continue
      const edge = graph.edge(`t${from}`, `t${i}`) as { points: { x: number; y: number }[] }
      // Out of the middle of one side, into the middle of the other.
      const at = (n: number, side: 1 | -1) => {
        const { x, y } = graph.node(`t${n}`) as { x: number; y: number }
        return direction === 'LR' ? { x: x + (side * NODE_W) / 2, y } : { x, y: y + (side * NODE_H) / 2 }
      }
      links.push({ from: taskKey, to: task.taskKey, outcome: outcome ?? null, points: [at(from, 1), ...edge.points.slice(1, -1), at(i, -1)] })
    }
  })
  const nodes = tasks.map((task, i) => {
    const { x, y } = graph.node(`t${i}`) as { x: number; y: number }
    return { key: task.taskKey, x, y }
  })
  return framed({ direction, nodes, links, width: 0, height: 0 })
}

const MARGIN = 16
const LINE = 6 // half an arrow, and some air

// All of it in sight, also edges that lead around the outermost tasks, which the library does not count.
function framed({ direction, nodes, links }: Layout): Layout {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  const take = (x: number, y: number, w: number, h: number) =>
    [left, top, right, bottom] = [Math.min(left, x - w), Math.min(top, y - h), Math.max(right, x + w), Math.max(bottom, y + h)]
  for (const { x, y } of nodes) take(x, y, NODE_W / 2, NODE_H / 2)
  for (const { x, y } of links.flatMap((link) => link.points)) take(x, y, LINE, LINE)
  if (left === Infinity) return { direction, nodes, links, width: 0, height: 0 }
  const moved = <T extends { x: number; y: number }>(at: T): T => ({ ...at, x: at.x - left + MARGIN, y: at.y - top + MARGIN })
  return {
    direction, nodes: nodes.map(moved), links: links.map((link) => ({ ...link, points: link.points.map(moved) })),
    width: right - left + 2 * MARGIN, height: bottom - top + 2 * MARGIN,
  }
}

// As much as fits of the beginning and of the end, for names that belong together often begin alike. `tail`: the end's share.
export function cutMiddle(text: string, fits: (text: string) => boolean, tail = 0.5): string {
  const whole = [...text]
  if (fits(text)) return text
  const kept = (count: number) => {
    const end = Math.floor(count * tail)
    return `${whole.slice(0, count - end).join('')}…${whole.slice(whole.length - end).join('')}`
  }
  let [least, most] = [0, whole.length - 1]
  while (least < most) {
    const half = (least + most + 1) >> 1
    if (fits(kept(half))) least = half
    else most = half - 1
  }
  return kept(least)
}

// Everything that is reached from `keys`, themselves included.
export function closure(tasks: TaskDef[], keys: Iterable<string>, direction: 'upstream' | 'downstream'): Set<string> {
  const next = new Map<string, string[]>()
  for (const task of tasks)
    for (const { taskKey } of dependencies(task)) {
      const [from, to] = direction === 'downstream' ? [taskKey, task.taskKey] : [task.taskKey, taskKey]
      next.set(from, [...(next.get(from) ?? []), to])
    }
  const known = new Set(tasks.map((task) => task.taskKey))
  const found = new Set<string>()
  const todo = [...keys]
  for (let key = todo.pop(); key !== undefined; key = todo.pop()) {
    if (found.has(key) || !known.has(key)) continue
    found.add(key)
    todo.push(...(next.get(key) ?? []))
  }
  return found
}
