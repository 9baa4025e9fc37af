import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Shown } from '../people/clients.ts'
import { startDaemon } from './daemon.ts'
import { freePort } from './free-port.ts'
import type { Lifetime } from './process.ts'
import { which } from './which.ts'

/** A program before a page, that asks the service about each token as a client of it. */
export interface Gateway {
  missing: string | false
  /** @returns the URL of the page. */
  start(t: Lifetime, issuer: string, client: Shown): Promise<string>
}

const nginx = which('nginx') ?? ['/usr/sbin/nginx'].find(existsSync) ?? ''
const njs = '/usr/lib/nginx/modules/ngx_http_js_module.so'
const apache = which('apache2') ?? ['/usr/sbin/apache2'].find(existsSync) ?? ''
const modules = '/usr/lib/apache2/modules'

export const gateways: Record<string, Gateway> = {
  'nginx with auth_request': {
    missing:
      !(nginx && existsSync(njs)) && 'NOT TESTED: no nginx with njs (Debian: nginx, libnginx-mod-http-js)',
    start: (t, issuer, { id, secret }) =>
      startGateway(t, ({ folder, port, page }) => {
        writeFileSync(
          join(folder, 'introspect.js'),
          `async function check(r) {
             const found = /^Bearer ([\\w.~+/-]+=*)$/i.exec(r.headersIn.Authorization || '');
             if (!found) return r.return(401);
             const answer = await r.subrequest('/introspect', { method: 'POST', body: 'token=' + found[1] });
             r.return(answer.status === 200 && JSON.parse(answer.responseText).active ? 204 : 401);
           }
           export default { check };`,
        )
        const file = join(folder, 'nginx.conf')
        const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        writeFileSync(
          file,
          `load_module ${njs};
           daemon off; pid ${folder}/nginx.pid; error_log stderr warn;
           events {}
           http {
             access_log off;
             ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')}
             js_path ${folder}; js_import gateway from introspect.js;
             server {
               listen 127.0.0.1:${port};
               location / { auth_request /check; proxy_pass ${page}; }
               location = /check { internal; js_content gateway.check; }
               location = /introspect {
                 internal;
                 proxy_pass ${issuer}/token/introspect;
                 proxy_set_header Authorization "Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}";
                 proxy_set_header Content-Type application/x-www-form-urlencoded;
               }
             }
           }`,
        )
        return [nginx, '-e', 'stderr', '-c', file, '-p', folder]
      }),
  },
  'Apache with mod_oauth2': {
    missing:
      !(apache && existsSync(`${modules}/mod_oauth2.so`)) &&
      'NOT TESTED: no Apache with mod_oauth2 (Debian: apache2, libapache2-mod-oauth2)',
    start: (t, issuer, { id, secret }) =>
      startGateway(t, ({ folder, port, page }) => {
        const file = join(folder, 'apache.conf')
        const loaded = [
          'mpm_event',
          'authn_core',
          'authz_core',
          'authz_user',
          'oauth2',
          'proxy',
          'proxy_http',
        ]
        writeFileSync(
          file,
          `${loaded.map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`).join('\n')}
           ServerName 127.0.0.1
           Listen 127.0.0.1:${port}
           PidFile ${folder}/apache.pid
           DefaultRuntimeDir ${folder}
           ErrorLog ${folder}/error.log
           ${process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : ''}
           ProxyPass / ${page}/
           OAuth2TokenVerify introspect ${issuer}/token/introspect introspect.auth=client_secret_basic&client_id=${id}&client_secret=${secret}
           <Location />
             AuthType oauth2
             Require valid-user
           </Location>`,
        )
        return [apache, '-f', file, '-D', 'FOREGROUND']
      }),
  },
}

interface Places {
  folder: string
  port: string
  /** The URL of the page behind the gateway. */
  page: string
}

/** @param prepare writes the configuration. @returns the program and its arguments. */
async function startGateway(t: Lifetime, prepare: (places: Places) => string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-gateway-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const behind = createServer((_request, response) => response.end('the page')).listen(0, '127.0.0.1')
  t.teardown(() => behind.close())
  await once(behind, 'listening')
  const port = String(await freePort())
  const page = `http://127.0.0.1:${(behind.address() as AddressInfo).port}`
  const url = `http://127.0.0.1:${port}/`
  // Apache binds its port once before it listens.
  const answers = () =>
    fetch(url).then(
      () => true,
      () => false,
    )
  await startDaemon(t, prepare({ folder, port, page }), answers)
  return url
}
