// Where to draw a big graph: in time that grows with its size, where the library that draws the small ones beautifully
// takes seconds. Tasks stand in layers, each behind what it waits for; within a layer near what they are connected to.

export interface Box {
  x: number // of the middle
  y: number
}

export interface Layered {
  tasks: Box[]
  bends: Box[][] // of each edge, between its two ends
  width: number
  height: number
}

export interface Sizes {
  width: number
  height: number
  across: number // between two layers
  apart: number // between two tasks of a layer
  margin: number
}

interface Spot {
  layer: number
  size: number
  at: number // along its layer
  order: number
  before: number[]
  behind: number[]
}

const SWEEPS = 4
const BEND_PX = 10
const MOST_BENDS = 20_000 // beyond, long edges go straight

export function layered(count: number, edges: [from: number, to: number][], sizes: Sizes): Layered {
  const layers = layersOf(count, edges)
  const spots: Spot[] = layers.map((layer) => ({ layer, size: sizes.height, at: 0, order: 0, before: [], behind: [] }))
  const length = edges.reduce((sum, [from, to]) => sum + layers[to] - layers[from] - 1, 0)
  const bends = edges.map(([from, to]) => {
    const through: number[] = []
    let last = from
    for (let layer = layers[from] + 1; layer < layers[to] && length <= MOST_BENDS; layer++) {
      spots.push({ layer, size: BEND_PX, at: 0, order: 0, before: [last], behind: [] })
      spots[last].behind.push(spots.length - 1)
      last = spots.length - 1
      through.push(last)
    }
    spots[last].behind.push(to)
    spots[to].before.push(last)
    return through
  })
  const rows: number[][] = Array.from({ length: Math.max(0, ...layers) + 1 }, () => [])
  spots.forEach((spot, i) => {
    spot.order = rows[spot.layer].length
    rows[spot.layer].push(i)
  })
  for (let i = 0; i < SWEEPS; i++) order(spots, i % 2 ? [...rows].reverse() : rows, i % 2 ? 'behind' : 'before')
  for (const row of rows) {
    let at = 0
    for (const i of row) at = (spots[i].at = at + spots[i].size / 2) + spots[i].size / 2 + sizes.apart
  }
  for (let i = 0; i < SWEEPS; i++) settle(spots, i % 2 ? [...rows].reverse() : rows, i % 2 ? 'behind' : 'before', sizes.apart)
  const top = Math.min(...spots.map((spot) => spot.at - spot.size / 2))
  const bottom = Math.max(...spots.map((spot) => spot.at + spot.size / 2))
  const box = (spot: Spot): Box =>
    ({ x: sizes.margin + sizes.width / 2 + spot.layer * (sizes.width + sizes.across), y: sizes.margin + spot.at - top })
  return {
    tasks: spots.slice(0, count).map(box),
    bends: bends.map((through) => through.map((i) => box(spots[i]))),
    width: 2 * sizes.margin + rows.length * (sizes.width + sizes.across) - sizes.across,
    height: 2 * sizes.margin + bottom - top,
  }
}

// The longest way from a task without dependencies; one of those stands right before the first that waits for it.
function layersOf(count: number, edges: [number, number][]): number[] {
  const layers = new Array<number>(count).fill(0)
  const open = new Array<number>(count).fill(0)
  const behind: number[][] = Array.from({ length: count }, () => [])
  for (const [from, to] of edges) {
    behind[from].push(to)
    open[to]++
  }
  const sources = open.flatMap((n, i) => (n ? [] : [i]))
  const todo = [...sources]
  for (let at = 0; at < todo.length; at++)
    for (const to of behind[todo[at]]) {
      layers[to] = Math.max(layers[to], layers[todo[at]] + 1)
      if (--open[to] === 0) todo.push(to)
    }
  for (const i of sources) if (behind[i].length) layers[i] = Math.min(...behind[i].map((to) => layers[to])) - 1
  return layers
}

const mean = (values: number[], otherwise: number) =>
  values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : otherwise

// Each in the order of the middle of its neighbours.
function order(spots: Spot[], rows: number[][], side: 'before' | 'behind') {
  for (const row of rows) {
    const wanted = new Map(row.map((i) => [i, mean(spots[i][side].map((j) => spots[j].order), spots[i].order)]))
    row.sort((a, b) => wanted.get(a)! - wanted.get(b)! || spots[a].order - spots[b].order)
    row.forEach((i, place) => (spots[i].order = place))
  }
}

// Each as near to the middle of its neighbours as the others of its layer let it: halfway between pushing all down
// and pushing all up, both of which keep the distances.
function settle(spots: Spot[], rows: number[][], side: 'before' | 'behind', apart: number) {
  for (const row of rows) {
    const wanted = row.map((i) => mean(spots[i][side].map((j) => spots[j].at), spots[i].at))
    const gap = (k: number) => (spots[row[k]].size + spots[row[k + 1]].size) / 2 + apart
    const down = [...wanted]
    for (let k = 1; k < row.length; k++) down[k] = Math.max(down[k], down[k - 1] + gap(k - 1))
    const up = [...wanted]
    for (let k = row.length - 2; k >= 0; k--) up[k] = Math.min(up[k], up[k + 1] - gap(k))
    row.forEach((i, k) => (spots[i].at = (down[k] + up[k]) / 2))
  }
}
