// Numbers, times and names as the dashboard writes them.

const group = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })

export const none = '–'

/** 12,345; 1.23M from a hundred thousand on. */
export const count = (n) => n === undefined || n === null ? none : Math.abs(n) < 100_000 ? group.format(n) : short.format(n)

/** A rate: 0.3, 12. */
export const rate = (n) => n === 0 ? '0' : n < 10 ? n.toFixed(1) : count(n)

/** 0.4 ms, 312 ms, 2.04 s, 1:23 min. */
export function ms(n) {
  if (n === undefined || n === null) return none
  if (n < 10) return `${n.toFixed(1)} ms`
  if (n < 1000) return `${Math.round(n)} ms`
  if (n < 9_995) return `${(n / 1000).toFixed(2)} s`
  if (n < 99_950) return `${(n / 1000).toFixed(1)} s`
  const seconds = Math.round(n / 1000)
  return seconds < 3600 ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} min` : `${(seconds / 3600).toFixed(1)} h`
}

/** What is left, from seconds: 23 s, 4:50 min. */
export const countdown = (seconds) => ms(Math.ceil(seconds) * 1000).replace('.00', '').replace('.0', '')

/** 99.8 %; 100 % only if nothing failed. */
export function percent(part) {
  if (part === undefined || part === null || Number.isNaN(part)) return none
  const tenths = Math.floor(part * 1000) / 10
  return `${tenths === Math.floor(tenths) ? tenths.toFixed(0) : tenths.toFixed(1)} %`
}

/** $0.0042, $12.30. */
export function dollars(n) {
  if (n === undefined || n === null) return none
  if (n === 0) return '$0'
  return n < 0.01 ? `$${n.toFixed(6).replace(/0+$/, '')}` : n < 1 ? `$${n.toFixed(4)}` : `$${n < 1000 ? n.toFixed(2) : count(n)}`
}

export const bytes = (n) => n === undefined || n === null ? none : n < 1024 ? `${n} B` : n < 1 << 20 ? `${(n / 1024).toFixed(1)} KiB`
  : `${(n / 1024 / 1024).toFixed(1)} MiB`

const clockFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const minuteFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const dateFormat = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })

/** A time: a text of RFC 3339, or seconds since 1970. */
const date = (time) => new Date(typeof time === 'number' ? time * 1000 : time)
const formatted = (format) => (time) => {
  const value = date(time ?? NaN)
  return Number.isNaN(value.getTime()) ? none : format.format(value)
}
/** 23:04:05 */
export const clock = formatted(clockFormat)
/** 23:04 */
export const minute = formatted(minuteFormat)
/** 29 Nov 2026, 23:04:05 */
export const dateTime = formatted(dateFormat)
/** The seconds from now until a time; 0 if it is over. */
export const secondsUntil = (time) => Math.max(0, (date(time).getTime() - Date.now()) / 1000)

/** 1 request, 2 requests */
export const plural = (n, word) => `${count(n)} ${word}${n === 1 ? '' : 's'}`

/** rate_limited -> rate limited */
export const words = (name) => name.replaceAll('_', ' ')
