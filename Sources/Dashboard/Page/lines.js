// The difference between two texts, line by line.

/**
 * The shortest script that turns `before` into `after`: `{ kind: 'same' | 'add' | 'remove', text, line }`, where `line` is the
 * number in `after`, or in `before` for a removed one. Source: Myers, "An O(ND) Difference Algorithm and Its Variations" (1986).
 */
export function difference(before, after) {
  const [a, b] = [before.split('\n'), after.split('\n')]
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start++
  let end = 0
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++
  const head = b.slice(0, start).map((text, index) => ({ kind: 'same', text, line: index + 1 }))
  const middle = shortest(a.slice(start, a.length - end), b.slice(start, b.length - end), start)
  const tail = b.slice(b.length - end).map((text, index) => ({ kind: 'same', text, line: b.length - end + index + 1 }))
  return [...head, ...middle, ...tail]
}

// Beyond this many edits everything between the common ends counts as replaced: the search takes their square.
const MAX_EDITS = 1500

function shortest(a, b, offset) {
  const removed = (x) => ({ kind: 'remove', text: a[x], line: offset + x + 1 })
  const added = (y) => ({ kind: 'add', text: b[y], line: offset + y + 1 })
  const max = Math.min(a.length + b.length, MAX_EDITS)
  const furthest = new Map([[1, 0]])
  const trace = []
  for (let d = 0; d <= max; d++) {
    trace.push(new Map(furthest))
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (furthest.get(k - 1) ?? -1) < (furthest.get(k + 1) ?? -1))
      let x = down ? furthest.get(k + 1) : furthest.get(k - 1) + 1
      let y = x - k
      while (x < a.length && y < b.length && a[x] === b[y]) {
        x++
        y++
      }
      furthest.set(k, x)
      if (x >= a.length && y >= b.length) return backtrack(trace, a, b, offset, removed, added)
    }
  }
  return [...a.keys()].map(removed).concat([...b.keys()].map(added))
}

function backtrack(trace, a, b, offset, removed, added) {
  const edits = []
  let [x, y] = [a.length, b.length]
  for (let d = trace.length - 1; d >= 0; d--) {
    const furthest = trace[d]
    const k = x - y
    const down = k === -d || (k !== d && (furthest.get(k - 1) ?? -1) < (furthest.get(k + 1) ?? -1))
    const previous = down ? furthest.get(k + 1) : furthest.get(k - 1)
    const previousY = previous - (down ? k + 1 : k - 1)
    while (x > previous && y > previousY && x > 0 && y > 0) {
      x--
      y--
      edits.push({ kind: 'same', text: b[y], line: offset + y + 1 })
    }
    if (d === 0) break
    if (down) edits.push(added(--y))
    else edits.push(removed(--x))
  }
  return edits.reverse()
}
