// The script of the pages of both example apps. Without it everything works but passkeys and copying.

// A second click shows the same code again, which is good once.
addEventListener('submit', (event) => {
  if (event.target.isSent) event.preventDefault()
  event.target.isSent = true
  setTimeout(() => {
    event.target.isSent = false
  }, 3000)
})

// The Back button shows no page from before a sign-out.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload()
})

const copy = document.querySelector('#copy')
if (copy)
  copy.onclick = async () => {
    await navigator.clipboard.writeText(document.querySelector('#codes').innerText)
    copy.textContent = 'Copied'
  }

// Asks for a passkey with the options that the page brings, and sends what the browser gives.
const passkey = document.querySelector('#passkey')
async function ask(event) {
  event?.preventDefault()
  try {
    const options = JSON.parse(passkey.dataset.options)
    const credential = options.user
      ? await navigator.credentials.create({
          publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
        })
      : await navigator.credentials.get({
          publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
        })
    passkey.credential.value = JSON.stringify(credential)
    passkey.submit()
  } catch {
    document.querySelector('#problem').textContent = 'No passkey was used. Ask again, or choose another way.'
  }
}
if (passkey) {
  passkey.querySelector('button').onclick = ask
  ask()
}
