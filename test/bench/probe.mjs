// Preloaded into every process that is measured: answers what it has used so far, when its parent asks.
import { monitorEventLoopDelay } from 'node:perf_hooks'

const RESOLUTION_MS = 5
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })

process.on('message', (message) => {
  if (message === 'begin') {
    delay.reset()
    delay.enable()
  }
  if (message === 'begin' || message === 'end') {
    const { user, system } = process.cpuUsage()
    process.send?.({
      cpuMs: (user + system) / 1000,
      rssBytes: process.memoryUsage.rss(),
      peakRssBytes: process.resourceUsage().maxRSS * 1024,
      // The histogram holds whole intervals of the timer: what is over its resolution is the delay.
      delayP99Ms: message === 'end' ? Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION_MS) : 0,
    })
  }
  if (message === 'end') delay.disable()
})
// Being ready to answer does not keep a process running.
process.channel?.unref()
