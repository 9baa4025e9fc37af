import { type Enrolled, login, PASSWORD, type Service, wrongCode } from '../service/service.ts'

/** Pauses the password of ada, as a stranger does who knows the name alone. */
export async function pausePassword(service: Service): Promise<void> {
  for (let guess = 0; guess < 11; guess += 1)
    await service.post('/login', { username: 'ada', password: `guess ${guess}` })
  const paused = await service.post('/login', { username: 'ada', password: PASSWORD })
  if (paused.status !== 429) throw new Error(`answered ${paused.status}`)
}

/** Closes the authenticator of ada, as a thief does who knows the password. */
export async function closeAuthenticator(service: Service, ada: Pick<Enrolled, 'secret'>): Promise<void> {
  for (let guess = 0; guess < 100; guess += 1) {
    service.clock.advance(901)
    const answer = await service.post('/2fa/verify', { code: wrongCode(service, ada) }, await login(service))
    if (answer.status !== 422) throw new Error(`answered ${answer.status}`)
  }
}
