// The policy: its text, a copy to edit and check, and what each reload changed.
import { difference } from './lines.js'
import { h, put, say } from './dom.js'
import { dateTime, ms, plural } from './format.js'
import { get, post } from './router.js'

/** A line of YAML with its comment and its key set apart. */
function colored(text) {
  const comment = /(^|\s)#.*$/.exec(text)
  const code = comment ? text.slice(0, comment.index) : text
  const found = /^(\s*(?:- )*)([^\s#'"{[][^:#]*)(:)(\s|$)/.exec(code)
  return [found ? [found[1], h('span', { class: 'key' }, found[2]), code.slice(found[1].length + found[2].length)] : code,
    comment ? h('span', { class: 'comment' }, text.slice(comment.index)) : null]
}

export function policy() {
  let files = []
  let config
  let copy
  let marks = new Map()
  const select = h('select', { 'aria-label': 'File', hidden: true, onchange: () => { copy = undefined; marks.clear(); draw() } })
  const edit = button('Edit a copy', () => { copy = current().text; draw(); text.focus(); text.setSelectionRange(0, 0); text.scrollTop = 0 })
  const check = button('Check', () => checkCopy())
  const compare = button('Difference', () => showDifference())
  const discard = button('Discard', () => { copy = undefined; marks.clear(); put(result); draw() }, 'quiet')
  const reload = button('Reload the file', () => reloadNow(), 'quiet')
  const gutter = h('pre', { class: 'gutter', 'aria-hidden': 'true' })
  const text = h('textarea', { class: 'code', spellcheck: 'false', 'aria-label': 'A copy of the policy', wrap: 'off',
    oninput: () => { copy = text.value; marks.clear(); number() }, onscroll: () => { gutter.scrollTop = text.scrollTop } })
  const lines = h('ol', { class: 'code lines', tabindex: '0', 'aria-label': 'The policy in service' })
  const editor = h('div', { class: 'editor' }, gutter, text)
  const note = h('p', { class: 'dim' })
  const result = h('div', { class: 'result', role: 'status' })
  const problems = h('details', { class: 'result' })
  const history = h('ol', { class: 'history' })
  const node = h('div', { class: 'policy' },
    h('section', null, h('div', { class: 'bar-top' }, select, edit, check, compare, discard, reload), note, problems, result,
      h('div', { class: 'panel flush' }, lines, editor)),
    h('section', { class: 'panel' }, h('h3', null, 'Reloads'), history))

  function button(title, onclick, kind) { return h('button', { type: 'button', class: kind, onclick }, title) }

  const current = () => files[Math.max(0, select.selectedIndex)]

  function draw() {
    const isEditing = copy !== undefined
    const hasText = Boolean(current())
    edit.hidden = isEditing || !hasText
    check.hidden = compare.hidden = discard.hidden = !isEditing
    editor.hidden = !isEditing
    lines.hidden = isEditing || !hasText
    select.hidden = files.length < 2
    select.disabled = isEditing
    say(note, isEditing ? 'A copy: nothing here changes the file. Each <secret> that stays in its place means the secret in service. A check reads neither included files nor ${file:…}.'
      : hasText ? `${current().path}, in service as ${config}. Secrets are masked.` : 'Reading the policy…')
    if (isEditing) {
      text.value = copy
      number()
    } else if (hasText) {
      const { issues } = current()
      const marked = new Map(issues.map(({ line, message }) => [line, message]))
      put(lines, current().text.replace(/\n$/, '').split('\n').map((line, index) =>
        h('li', { class: marked.has(index + 1) ? 'warn' : undefined, title: marked.get(index + 1) }, colored(line))))
      if (issues.length) put(problems, h('summary', null, plural(issues.length, 'warning')), listed(issues, (line) => lines.children[line - 1]?.scrollIntoView({ block: 'center' })))
    }
    problems.hidden = isEditing || !current()?.issues.length
    if (problems.hidden) put(problems)
  }

  const listed = (issues, open) => h('ul', { class: 'issues' }, issues.map((issue) => h('li', null,
    h('button', { type: 'button', class: 'quiet num', onclick: () => open(issue.line) }, `${issue.line}:${issue.column}`),
    h('span', { class: issue.severity === 'error' ? 'bad' : 'warn' }, issue.severity),
    h('span', null, issue.message, issue.hint ? h('span', { class: 'dim' }, `; ${issue.hint}`) : null))))

  function number() {
    const count = text.value.split('\n').length
    put(gutter, Array.from({ length: count }, (_, index) => h('span', { class: marks.get(index + 1) }, `${index + 1}\n`)))
    gutter.scrollTop = text.scrollTop
  }

  async function checkCopy() {
    let report
    try {
      report = await post('admin/check', copy)
    } catch (error) {
      report = error.body
      if (!report?.issues) return put(result, h('p', { class: 'bad' }, `The copy was not checked: ${error.message}`))
    }
    const count = (severity) => report.issues.filter((issue) => issue.severity === severity).length
    marks = new Map()
    for (const issue of report.issues) if (issue.severity === 'error' || !marks.has(issue.line)) marks.set(issue.line, issue.severity === 'error' ? 'bad' : 'warn')
    number()
    put(result, h('p', { class: report.status === 'ok' ? '' : 'bad' }, report.status === 'ok'
      ? `The copy is a valid policy${report.issues.length ? `, with ${plural(count('warning'), 'warning')}` : ''}. Its digest is ${report.digest}.`
      : `The copy has ${plural(count('error'), 'error')}${count('warning') ? ` and ${plural(count('warning'), 'warning')}` : ''}.`),
    listed(report.issues, jump))
  }

  function jump(line) {
    const all = text.value.split('\n')
    const start = all.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0)
    text.focus()
    text.setSelectionRange(start, start + (all[line - 1]?.length ?? 0))
    text.scrollTop = Math.max(0, (line - 5) * parseFloat(getComputedStyle(text).lineHeight))
  }

  function showDifference() {
    const all = difference(current().text, copy)
    const near = all.map((_, index) => all.slice(Math.max(0, index - 2), index + 3).some(({ kind }) => kind !== 'same'))
    if (!near.includes(true)) return put(result, h('p', null, 'The copy is the same as the policy in service.'))
    put(result, h('pre', { class: 'code difference' }, all.map(({ kind, text, line }, index) => near[index]
      ? h('span', { class: kind }, `${String(line).padStart(5)} ${{ add: '+', remove: '-', same: ' ' }[kind]} ${text}\n`)
      : near[index - 1] ? h('span', { class: 'dim' }, '    …\n') : null)))
  }

  async function reloadNow() {
    reload.disabled = true
    try {
      const { changes } = await post('admin/reload')
      put(result, h('p', null, changes.length ? `Reloaded, with ${plural(changes.length, 'change')}.` : 'Reloaded; nothing changed.'))
    } catch (error) {
      put(result, h('p', { class: 'bad' }, error.body?.report ? 'The file has errors, so the policy in service stays.' : error.message), h('ul', { class: 'issues' }, (error.body?.report ?? []).map((line) => h('li', null, line))))
    }
    reload.disabled = false
  }

  async function read() {
    try {
      const [text, reloads] = await Promise.all([get('admin/policy'), get('admin/reloads')])
      if (text.config !== config && copy === undefined) {
        ({ files, config } = text)
        put(select, files.map((file) => h('option', null, file.path)))
        draw()
      }
      put(history, reloads.reloads.map((entry) => {
        const details = [...entry.errors, ...entry.changes]
        return h('li', { class: entry.status === 'ok' ? '' : 'bad' },
          h('p', null, h('time', null, dateTime(entry.time)), ' ', h('span', { class: `pill ${entry.status === 'ok' ? 'good' : 'bad'}` }, entry.status),
            h('span', { class: 'dim' }, ` by ${entry.by}, ${entry.config} as number ${entry.generation}, ${ms(entry.duration_ms)}`)),
          details.length ? h('details', { open: entry.status !== 'ok' }, h('summary', null, entry.errors.length ? plural(entry.errors.length, 'error') : plural(entry.changes.length, 'change')),
            h('ul', { class: 'code' }, details.map((line) => h('li', null, line)))) : h('small', { class: 'dim' }, entry.status === 'ok' ? 'no change' : ''))
      }))
      if (!reloads.reloads.length) put(history, h('li', { class: 'dim' }, 'The policy has not been reloaded since the start.'))
    } catch (error) {
      if (!files.length) say(note, `The policy can't be read: ${error.message}.`)
    }
  }

  draw()
  return {
    name: 'policy', title: 'Policy', node, show: read, reloaded: read,
  }
}
