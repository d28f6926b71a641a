// Building and updating the page. Text is only ever inserted as text nodes.

const SVG = 'http://www.w3.org/2000/svg'

function fill(node, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value)
    else if (name === 'value') node.value = value
    else node.setAttribute(name, value === true ? '' : value)
  }
  put(node, ...children)
  return node
}

/** An HTML element. Properties are attributes; `onclick` and the like are listeners; null children are left out. */
export const h = (tag, properties, ...children) => fill(document.createElement(tag), properties, children)

/** An SVG element. */
export const s = (tag, properties, ...children) => fill(document.createElementNS(SVG, tag), properties, children)

/** Replaces the children of a node. */
export function put(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => child instanceof Node ? child : String(child)))
}

/** Sets a node's text, if it differs: screen readers and selections keep their place. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text
}

/** Whether an element must not be replaced now, because it has the focus or contains selected text. */
export const isInUse = (node) => {
  const selection = getSelection()
  return node.contains(document.activeElement) || (selection && !selection.isCollapsed && node.contains(selection.anchorNode))
}

/**
 * Makes the children of `parent` those of `items`, in their order. A child stays for as long as its key does, so that it keeps
 * the focus and its place.
 */
export function list(parent, items, key, create, update) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]))
  let place = parent.firstChild
  for (const item of items) {
    const name = String(key(item))
    let child = known.get(name)
    known.delete(name)
    if (!child) {
      child = create(item)
      child.dataset.key = name
    }
    update?.(child, item)
    if (child === place) place = place.nextSibling
    else parent.insertBefore(child, place)
  }
  for (const child of known.values()) child.remove()
}
