// Made from openapi/openapi.json by npm run openapi.

export interface paths {
  "/register": {
    /**
     * Create an account
     * @description The answer is the same as that of `/login`. Use its mfa token to set up the second factor next.
     */
    post: operations["register"];
  };
  "/login": {
    /**
     * Sign in with username, or verified address, and password
     * @description Send the mfa token of the answer to `/2fa/verify` with a code. If no second factor is set up yet, send it to `/2fa/setup` first.
     */
    post: operations["login"];
  };
  "/2fa/setup": {
    /**
     * Set up an authenticator app
     * @description Repeated calls with the same token return the same secret until a code is tried. With an account token, the route adds an authenticator. `Accept` selects the form of the answer: JSON, the QR code as an image, or the QR code as text for a terminal.
     */
    post: operations["setUpTotp"];
  };
  "/2fa/verify": {
    /**
     * Finish the sign-in: exchange the mfa token and a code for an access token
     * @description The first code of a new authenticator confirms it, and the answer has the recovery codes.
     */
    post: operations["verifyCode"];
  };
  "/": {
    /**
     * Get the name, the version and the links of the service
     * @description The links are paths of this service.
     */
    get: operations["getService"];
  };
  "/livez": {
    /**
     * Check that the process is alive
     * @description Checks neither the database nor Redis.
     */
    get: operations["getLiveness"];
  };
  "/readyz": {
    /**
     * Check that the service is ready for requests
     * @description Answers 503 while the database cannot store anything, and before the process ends.
     */
    get: operations["getReadiness"];
  };
  "/config": {
    /**
     * Get the rules and methods of this service, for the forms of an app
     * @description With it, a form can show in advance how long a password has to be, and whether registration is open.
     */
    get: operations["getConfig"];
  };
  "/problems": {
    /**
     * Get what each problem code means, as JSON or as a page
     * @description The `type` of each problem links to this page.
     */
    get: operations["getProblems"];
  };
  "/.well-known/jwks.json": {
    /**
     * Get the public keys that verify access tokens (RFC 7517)
     * @description A service caches them, and fetches them again when a token names a key that it does not know.
     */
    get: operations["getJwks"];
  };
  "/.well-known/oauth-authorization-server": {
    /**
     * Get the issuer and its endpoints (RFC 8414)
     * @description OAuth libraries use it to find the other endpoints.
     */
    get: operations["getServerMetadata"];
  };
  "/token/refresh": {
    /**
     * Exchange a refresh token for new tokens
     * @description A refresh token works once. A repeat, after a lost response or from another tab, returns the same new refresh token while that one is unused, if it carries the `Idempotency-Key` of the first use or comes within 60 seconds from the same network (IPv4 /24, IPv6 /48). Any other repeat ends the session. A session can be refreshed at most ten times a minute. A refresh that is refused with `rate_limited` does not use up the token.
     */
    post: operations["refreshToken"];
  };
  "/token": {
    /**
     * Exchange a refresh token, or the secret of a service client, for tokens (RFC 6749)
     * @description The token endpoint for OAuth libraries. People use the public client `keyturn`. A service client sends its secret by HTTP Basic or in the form.
     */
    post: operations["requestToken"];
  };
  "/token/revoke": {
    /**
     * End the session of a token (RFC 7009)
     * @description Accepts a refresh token, even a used one, or a valid access token. For any other token nothing happens, and the answer is the same.
     */
    post: operations["revokeToken"];
  };
  "/password/forgot": {
    /**
     * Request a password reset by email
     * @description The answer is the same for every username and address. Emails are sent only to verified addresses.
     */
    post: operations["requestPasswordReset"];
  };
  "/password/reset": {
    /**
     * Set a new password with the token from the email
     * @description Ends every session. The second factor does not change. If it is a code sent to the same mailbox, a recovery code is required.
     */
    post: operations["resetPassword"];
  };
  "/login/passkey/options": {
    /**
     * Get the options for a sign-in with a passkey alone
     * @description Pass them to `navigator.credentials.get()`, and send its result to `/login/passkey`.
     */
    post: operations["passkeySignInOptions"];
  };
  "/login/passkey": {
    /**
     * Sign in with a passkey alone
     * @description The authenticator must have verified its owner by fingerprint, face or PIN.
     */
    post: operations["signInWithPasskey"];
  };
  "/2fa/passkeys/options": {
    /**
     * Get the options for making a passkey
     * @description Pass them to `navigator.credentials.create()`, and send its result to `/2fa/passkeys`.
     */
    post: operations["passkeyOptions"];
  };
  "/2fa/passkeys": {
    /**
     * Add the passkey to the account
     * @description With an mfa token, the passkey becomes the first factor, and the answer is that of a sign-in. With an account token, it is added to the other factors. If there was no factor before, the answer has the tokens of a new session, and all other sessions end.
     */
    post: operations["addPasskey"];
  };
  "/2fa/passkeys/challenge": {
    /**
     * Get the options for a passkey at `/2fa/verify` or `/2fa/step-up`
     * @description Pass them to `navigator.credentials.get()`, and send its result as `credential` with the method `passkey`.
     */
    post: operations["passkeyChallenge"];
  };
  "/2fa/setup/confirm": {
    /**
     * Confirm the authenticator that was set up with an account token
     * @description From now on its codes can be used to sign in. If it replaces another authenticator, that one is removed. Every session ends. The answer has the tokens of a new session.
     */
    post: operations["confirmTotp"];
  };
  "/2fa/email": {
    /**
     * Switch codes by email on or off
     * @description On: a code that is mailed to the verified address can be used to sign in, as an alternative to the other second factor, at `acr` `aal1`. Off: all other sessions end.
     */
    put: operations["switchEmailCodes"];
    /**
     * Send a code by email
     * @description A new code replaces the previous one. A wrong code counts towards the same five attempts.
     */
    post: operations["sendEmailCode"];
  };
  "/2fa/recovery-codes": {
    /**
     * Replace the recovery codes with ten new ones
     * @description At most five times an hour.
     */
    post: operations["renewRecoveryCodes"];
  };
  "/me": {
    /**
     * Get the account
     * @description Shows the current state. The claims of an access token show the state at the time when it was issued.
     */
    get: operations["getMe"];
    /**
     * Delete the account and everything that belongs to it
     * @description Every session ends. The account cannot be restored.
     */
    delete: operations["deleteMe"];
  };
  "/me/events": {
    /**
     * List the events of the account: its audit trail
     * @description The newest first.
     */
    get: operations["listEvents"];
  };
  "/sessions": {
    /**
     * List the active sessions of the account
     * @description The session of the access token in use is `current`.
     */
    get: operations["listSessions"];
    /**
     * End all other sessions of the account
     * @description The session of the access token in use stays active.
     */
    delete: operations["endOtherSessions"];
  };
  "/sessions/{id}": {
    /**
     * End one session of the account
     * @description Its refresh token stops working at once. Other services accept its access token until that expires.
     */
    delete: operations["endSession"];
  };
  "/2fa": {
    /**
     * Get the second factors of the account
     * @description Also shows how many recovery codes are left.
     */
    get: operations["getFactors"];
    /**
     * Remove the second factor, if the service does not require one
     * @description Every session ends. The answer has the tokens of a new session.
     */
    delete: operations["removeFactors"];
  };
  "/2fa/step-up": {
    /**
     * Confirm the second factor and the password again, and get an account token
     * @description The answer has an account token if the password and the best factor of the account were used within the last 300 s (RFC 9470). Within 300 s of a sign-in, a code alone is enough.
     */
    post: operations["stepUp"];
  };
  "/logout": {
    /**
     * Sign out: end the current session
     * @description If the body has the refresh token, no access token is required, as it may have expired. A used refresh token works too.
     */
    post: operations["logout"];
  };
  "/me/email/verify": {
    /**
     * Verify the new email address with the code or the link that was sent to it
     * @description The code from the email requires the access token of the account. The token from the link requires none, and the answer then contains only the masked address. All other sessions end. The session that asked for the link stays.
     */
    post: operations["verifyEmail"];
  };
  "/token/introspect": {
    /**
     * Check whether an access token is active (RFC 7662)
     * @description For services that must notice at once when a session ends. A service client authenticates with its secret or its own token, and sees tokens for its audience. A person sees the tokens of their own session. For any other token the answer is `{"active": false}`.
     */
    post: operations["introspectToken"];
  };
  "/2fa/factors/{id}": {
    /**
     * Remove one factor
     * @description Every session ends. The answer has the tokens of a new session. The last factor can be removed only if the service does not require one. The recovery codes are removed with it.
     */
    delete: operations["removeFactor"];
    /**
     * Rename a factor
     * @description The account token stays valid.
     */
    patch: operations["renameFactor"];
  };
  "/password/change": {
    /**
     * Change the password
     * @description Every session ends. The answer has the tokens of a new session.
     */
    post: operations["changePassword"];
  };
  "/me/email": {
    /**
     * Set or change the email address, or verify the current one
     * @description Sends a code to the address. The change takes effect when the code is verified.
     */
    put: operations["setEmail"];
  };
}

export type webhooks = Record<string, never>;

export interface components {
  schemas: {
    /** @description An error (RFC 9457) */
    Problem: {
      /**
       * Format: uri
       * @description `<issuer>/problems#<code>`, a page that explains the code
       */
      type: string;
      title: string;
      status: number;
      /** @description Can be shown to an end user. Programs should use `code` */
      detail: string;
      /** @enum {string} */
      code: "validation_failed" | "malformed_json" | "bad_request" | "invalid_credentials" | "invalid_token" | "unknown_credential" | "invalid_refresh_token" | "insufficient_user_authentication" | "insufficient_scope" | "two_factor_required" | "enrolment_code_required" | "registration_closed" | "not_found" | "method_not_allowed" | "not_acceptable" | "request_timeout" | "username_taken" | "already_enrolled" | "factor_limit_reached" | "not_enrolled" | "email_unavailable" | "payload_too_large" | "unsupported_media_type" | "invalid_code" | "passkey_rejected" | "recovery_code_required" | "password_rejected" | "rate_limited" | "too_many_attempts" | "headers_too_large" | "internal_error" | "email_delivery_failed" | "overloaded" | "unavailable";
      /** @description Identifies the request in the log */
      request_id: string;
      errors?: ({
          /** @description JSON Pointer (RFC 6901) into the body */
          pointer: string;
          /** @enum {string} */
          code: "required" | "too_short" | "too_long" | "pattern" | "type" | "unknown_member";
          /** @description Can be shown to an end user */
          detail: string;
          /** @description For `too_short`: the minimum number of characters */
          min?: number;
          /** @description For `too_long`: the maximum number of characters */
          max?: number;
        })[];
      attempts_left?: number;
      /** @description Seconds to wait before the next attempt */
      retry_after?: number;
      /**
       * Format: date-time
       * @description RFC 3339, UTC
       */
      server_time?: string;
      /** @description For `password_rejected`: all reasons that apply */
      reasons?: ("too_short" | "common" | "is_username" | "is_service_name")[];
      /** @description For `password_rejected`: the minimum number of characters */
      min?: number;
      /**
       * @description The token that the route requires
       * @enum {string}
       */
      needs?: "account_token";
      /** @description Distinguishes the causes of one `code` */
      reason?: string;
    };
    /** @description An error, in the format of OAuth (RFC 6749) */
    OAuthError: {
      /** @description For limits and overload, the `code` of the corresponding problem */
      error: string;
      error_description: string;
    };
    /** @description An account, as its owner sees it */
    User: {
      /** Format: uuid */
      id: string;
      username: string;
      email: string | null;
      email_verified: boolean;
      two_factor_enabled: boolean;
      /** @description Set by an operator. Access tokens have them from the next refresh on */
      roles: string[];
      /**
       * Format: date-time
       * @description RFC 3339, UTC
       */
      created_at: string;
    };
    /** @description An event of the account */
    AuditEvent: {
      /** Format: uuid */
      id: string;
      /**
       * Format: date-time
       * @description RFC 3339, UTC
       */
      at: string;
      /** @enum {string} */
      event: "account_registered" | "account_created" | "account_imported" | "accounts_exported" | "account_exported" | "account_disabled" | "account_enabled" | "account_renamed" | "roles_set" | "account_unlocked" | "account_expired" | "account_deleted" | "password_accepted" | "password_refused" | "code_accepted" | "code_rejected" | "code_sent" | "second_factor_failing" | "passkey_counter_fell" | "attempts_paused" | "enrolment_code_rejected" | "factor_pending" | "factor_enrolled" | "factor_renamed" | "factor_replaced" | "factor_removed" | "factors_reset" | "email_codes_switched_on" | "email_codes_switched_off" | "recovery_codes_renewed" | "recovery_code_used" | "recovery_codes_low" | "recovery_code_voided" | "new_network" | "session_started" | "session_ended" | "session_displaced" | "other_sessions_ended" | "all_sessions_ended" | "token_refreshed" | "token_refresh_repeated" | "refresh_token_reused" | "password_changed" | "password_reset_requested" | "password_reset" | "email_change_requested" | "email_changed" | "client_created" | "client_secret_rotated" | "client_secret_ended" | "client_secret_refused" | "client_disabled" | "client_enabled" | "client_deleted" | "signing_key_made" | "signing_key_revoked" | "secrets_resealed" | "lost_keys_forgotten" | "database_restored";
      /** @enum {string} */
      outcome: "success" | "failure";
      /**
       * @description Who caused it. `client`: a request to the API; `operator`: the command line; `service`: the service itself
       * @enum {string}
       */
      actor: "client" | "operator" | "service";
      /** @description The factor concerned; `password`; `new_address` for the code to one; the roles that were set; the old and the new username (`ada -> grace`) */
      method: string | null;
      /** @description The session concerned */
      session_id: string | null;
      /** @description Empty unless it was a client */
      ip: string;
      /** @description Empty unless it was a client */
      user_agent: string;
      request_id: string;
    };
    /** @description The password is correct. A second factor is required */
    MfaStep: {
      /** @enum {boolean} */
      mfa_required: true;
      /** @description Valid only for /2fa/setup, /2fa/passkeys, /2fa/email and /2fa/verify, and what begins a passkey */
      mfa_token: string;
      /** @enum {string} */
      token_type: "Bearer";
      /** @description Lifetime of the mfa token in seconds */
      expires_in: number;
      /** @description Whether the account has a second factor */
      enrolled: boolean;
      /**
       * @description Send the code from the operator to /2fa/setup or /2fa/passkeys/options as `enrolment_code`
       * @enum {boolean}
       */
      enrolment_code_required?: true;
      /** @description Methods that /2fa/verify accepts now; if `enrolled` is false, methods that can be set up */
      methods: ("passkey" | "totp" | "email" | "recovery_code")[];
    };
    /** @description The password is correct. No second factor is required */
    PasswordOnly: {
      /** @enum {boolean} */
      mfa_required: false;
      /** @description A JWT of type `at+jwt` (RFC 9068) */
      access_token: string;
      /** @enum {string} */
      token_type: "Bearer";
      /** @description Lifetime of the access token in seconds */
      expires_in: number;
      /** @description Opaque. Send it to /token/refresh */
      refresh_token: string;
      /** @description Lifetime of the refresh token in seconds, unless it is used */
      refresh_expires_in: number;
      /** @description Valid for one change to the account (password, address, factors, recovery codes, deletion). Present only if the password and the best factor of the account were used within the last 300 s. */
      account_token?: string;
      /** @description Lifetime of the account token in seconds */
      account_expires_in?: number;
    };
    /** @description The tokens of a session */
    TokenResponse: {
      /** @description A JWT of type `at+jwt` (RFC 9068) */
      access_token: string;
      /** @enum {string} */
      token_type: "Bearer";
      /** @description Lifetime of the access token in seconds */
      expires_in: number;
      /** @description Opaque. Send it to /token/refresh */
      refresh_token: string;
      /** @description Lifetime of the refresh token in seconds, unless it is used */
      refresh_expires_in: number;
    };
    /** @description A new access token for the same session. The refresh token does not change */
    StepUpResponse: {
      /** @description A JWT of type `at+jwt` (RFC 9068) */
      access_token: string;
      /** @enum {string} */
      token_type: "Bearer";
      /** @description Lifetime of the access token in seconds */
      expires_in: number;
      /** @description Valid for one change to the account (password, address, factors, recovery codes, deletion). Present only if the password and the best factor of the account were used within the last 300 s. */
      account_token?: string;
      /** @description Lifetime of the account token in seconds */
      account_expires_in?: number;
    };
    /** @description A session of the account */
    Session: {
      /**
       * Format: uuid
       * @description The `sid` of its access tokens
       */
      id: string;
      /**
       * Format: date-time
       * @description RFC 3339, UTC
       */
      created_at: string;
      /**
       * Format: date-time
       * @description RFC 3339, UTC
       */
      last_used_at: string;
      /** @description IP address of the last use */
      ip: string;
      user_agent: string;
      /** @description Authentication methods (RFC 8176) */
      amr: string[];
      /** @description The last time that a refresh was answered a second time. This happens after a lost answer, but a thief in the same network could also have sent the second request */
      refresh_repeated_at: string | null;
      /** @description Whether this is the session of the access token in use */
      current: boolean;
    };
    /** @description The claims of an active access token, or `active: false` alone */
    Introspection: {
      active: boolean;
      /** @enum {string} */
      token_type?: "Bearer";
      iss?: string;
      sub?: string;
      aud?: string;
      exp?: number;
      iat?: number;
      jti?: string;
      client_id?: string;
      sid?: string;
      username?: string;
      /** @description Authentication methods (RFC 8176) */
      amr?: string[];
      /** @enum {string} */
      acr?: "aal1" | "aal2";
      /** @enum {boolean} */
      phr?: true;
      auth_time?: number;
      /** @description The roles in the token */
      roles?: string[];
      /** @description The scope of a service token, which has no `sid` */
      scope?: string;
    };
    /** @description Tokens, in the format of OAuth */
    OAuthTokens: {
      access_token: string;
      /** @enum {string} */
      token_type: "Bearer";
      /** @description Lifetime of the access token in seconds */
      expires_in: number;
      /** @description For a refresh token */
      refresh_token?: string;
      /** @description Lifetime of the refresh token in seconds, unless it is used */
      refresh_expires_in?: number;
      /** @description The scope of a service token, if it has one */
      scope?: string;
    };
    /** @description Signed in: the code is correct */
    SignIn: {
      /** @description A JWT of type `at+jwt` (RFC 9068) */
      access_token: string;
      /** @enum {string} */
      token_type: "Bearer";
      /** @description Lifetime of the access token in seconds */
      expires_in: number;
      /** @description Opaque. Send it to /token/refresh */
      refresh_token: string;
      /** @description Lifetime of the refresh token in seconds, unless it is used */
      refresh_expires_in: number;
      /** @description Valid for one change to the account (password, address, factors, recovery codes, deletion). Present only if the password and the best factor of the account were used within the last 300 s. */
      account_token?: string;
      /** @description Lifetime of the account token in seconds */
      account_expires_in?: number;
      /** @description Ten codes in case the phone is lost. They are returned only once, with the first factor */
      recovery_codes?: string[];
    };
    /** @description The factor is active. These are the tokens of a new session; all other sessions have ended */
    Confirmed: {
      /** @description A JWT of type `at+jwt` (RFC 9068) */
      access_token: string;
      /** @enum {string} */
      token_type: "Bearer";
      /** @description Lifetime of the access token in seconds */
      expires_in: number;
      /** @description Opaque. Send it to /token/refresh */
      refresh_token: string;
      /** @description Lifetime of the refresh token in seconds, unless it is used */
      refresh_expires_in: number;
      /** @description Ten codes in case the phone is lost. They are returned only once, with the first factor */
      recovery_codes?: string[];
    };
    /** @description A second factor of the account */
    Factor: {
      id: string;
      /** @description `passkey`, `totp` or `email` */
      kind: string;
      name: string;
      /**
       * Format: date-time
       * @description RFC 3339, UTC
       */
      created_at: string;
      last_used_at: string | null;
      /** @description For a passkey: whether it was copied to other devices of its owner */
      backed_up?: boolean;
    };
    /** @description The passkey is now a factor of the account */
    FactorAdded: {
      /** @description A second factor of the account */
      factor: {
        id: string;
        /** @description `passkey`, `totp` or `email` */
        kind: string;
        name: string;
        /**
         * Format: date-time
         * @description RFC 3339, UTC
         */
        created_at: string;
        last_used_at: string | null;
        /** @description For a passkey: whether it was copied to other devices of its owner */
        backed_up?: boolean;
      };
    };
    /** @description The options that a browser passes to its authenticators */
    PasskeyOptions: {
      /** @description For `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON` in a browser */
      public_key: {
        [key: string]: unknown;
      };
      /** @description Seconds until the challenge expires */
      expires_in: number;
    };
    /** @description A pending authenticator */
    Enrolment: {
      /** @description Base32, 160 bits, for manual entry */
      secret: string;
      /** @description The key URI that authenticator apps read */
      otpauth_uri: string;
      /** @description The key URI as a QR code: a PNG in a data URL */
      qr_png: string;
      /** @description Seconds until the secret expires, unless a code confirms it */
      expires_in: number;
    };
  };
  responses: {
    /** @description `rate_limited`: Too many requests */
    RateLimited: {
      headers: {
        /** @description Seconds to wait before the next attempt */
        "Retry-After"?: number;
      };
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "rate_limited";
        };
      };
    };
    /** @description `internal_error`: Something went wrong on our side */
    InternalError: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "internal_error";
        };
      };
    };
    /** @description `unavailable`: The service is temporarily unavailable */
    Unavailable: {
      headers: {
        /** @description Seconds to wait before the next attempt */
        "Retry-After"?: number;
      };
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "unavailable";
        };
      };
    };
    /** @description `unavailable`: The service is temporarily unavailable */
    GetReadiness503: {
      headers: {
        /** @description Seconds to wait before the next attempt */
        "Retry-After"?: number;
      };
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "unavailable";
        };
      };
    };
    /** @description `validation_failed`: The request does not have the expected format · `malformed_json`: The body is not JSON */
    Register400: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "validation_failed" | "malformed_json";
        });
      };
    };
    /** @description `registration_closed`: Registration is closed */
    RegistrationClosed: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "registration_closed";
        };
      };
    };
    /** @description `username_taken`: The username is taken */
    UsernameTaken: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "username_taken";
        };
      };
    };
    /** @description `payload_too_large`: The body is too large */
    PayloadTooLarge: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "payload_too_large";
        };
      };
    };
    /** @description `unsupported_media_type`: The media type is not supported */
    UnsupportedMediaType: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "unsupported_media_type";
        };
      };
    };
    /** @description `password_rejected`: The password is not good enough */
    PasswordRejected: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "password_rejected";
        };
      };
    };
    /** @description `overloaded`: The service is overloaded · `unavailable`: The service is temporarily unavailable */
    OverloadedOrUnavailable: {
      headers: {
        /** @description Seconds to wait before the next attempt */
        "Retry-After"?: number;
      };
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "overloaded" | "unavailable";
        });
      };
    };
    /** @description `validation_failed`: The request does not have the expected format · `malformed_json`: The body is not JSON */
    Login400: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "validation_failed" | "malformed_json";
        });
      };
    };
    /** @description `invalid_credentials`: Wrong username or password */
    InvalidCredentials: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "invalid_credentials";
        };
      };
    };
    /** @description `invalid_code`: The code is not valid */
    Login422: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "invalid_code";
        };
      };
    };
    /** @description `rate_limited`: Too many requests · `too_many_attempts`: Too many failed attempts */
    RateLimitedOrTooManyAttempts: {
      headers: {
        /** @description Seconds to wait before the next attempt */
        "Retry-After"?: number;
      };
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "rate_limited" | "too_many_attempts";
        });
      };
    };
    /** @description `validation_failed`: The request does not have the expected format · `malformed_json`: The body is not JSON */
    RefreshToken400: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "validation_failed" | "malformed_json";
        });
      };
    };
    /** @description `invalid_refresh_token`: The refresh token is not valid */
    InvalidRefreshToken: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "invalid_refresh_token";
        };
      };
    };
    /** @description `rate_limited`: Too many requests */
    RefreshToken429: {
      headers: {
        /** @description Seconds to wait before the next attempt */
        "Retry-After"?: number;
      };
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "rate_limited";
        };
      };
    };
    /** @description an error of OAuth (RFC 6749 section 5.2) */
    RequestToken400: {
      content: {
        "application/json": components["schemas"]["OAuthError"];
      };
    };
    /** @description an error of OAuth (RFC 6749 section 5.2) */
    RequestToken401: {
      content: {
        "application/json": components["schemas"]["OAuthError"];
      };
    };
    /** @description an error of OAuth (RFC 6749 section 5.2) */
    RequestToken429: {
      headers: {
        /** @description Seconds to wait before the next attempt */
        "Retry-After"?: number;
      };
      content: {
        "application/json": components["schemas"]["OAuthError"];
      };
    };
    /** @description an error of OAuth (RFC 6749 section 5.2) */
    RequestToken500: {
      content: {
        "application/json": components["schemas"]["OAuthError"];
      };
    };
    /** @description an error of OAuth (RFC 6749 section 5.2) */
    RequestToken503: {
      headers: {
        /** @description Seconds to wait before the next attempt */
        "Retry-After"?: number;
      };
      content: {
        "application/json": components["schemas"]["OAuthError"];
      };
    };
    /** @description an error of OAuth (RFC 6749 section 5.2) */
    RevokeToken400: {
      content: {
        "application/json": components["schemas"]["OAuthError"];
      };
    };
    /** @description `validation_failed`: The request does not have the expected format · `malformed_json`: The body is not JSON */
    RequestPasswordReset400: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "validation_failed" | "malformed_json";
        });
      };
    };
    /** @description `email_unavailable`: Codes by email are not available */
    RequestPasswordReset409: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "email_unavailable";
        };
      };
    };
    /** @description `validation_failed`: The request does not have the expected format · `malformed_json`: The body is not JSON */
    ResetPassword400: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "validation_failed" | "malformed_json";
        });
      };
    };
    /** @description `invalid_token`: The token is missing or not valid here */
    InvalidToken: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "invalid_token";
        };
      };
    };
    /** @description `invalid_code`: The code is not valid · `recovery_code_required`: A recovery code is required · `password_rejected`: The password is not good enough */
    ResetPassword422: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "invalid_code" | "recovery_code_required" | "password_rejected";
        });
      };
    };
    /** @description `validation_failed`: The request does not have the expected format · `malformed_json`: The body is not JSON */
    ValidationFailedOrMalformedJson: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "validation_failed" | "malformed_json";
        });
      };
    };
    /** @description `validation_failed`: The request does not have the expected format · `malformed_json`: The body is not JSON */
    SignInWithPasskey400: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "validation_failed" | "malformed_json";
        });
      };
    };
    /** @description `unknown_credential`: The passkey is not known here */
    UnknownCredential: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "unknown_credential";
        };
      };
    };
    /** @description `passkey_rejected`: The passkey was refused */
    SignInWithPasskey422: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "passkey_rejected";
        };
      };
    };
    /** @description `validation_failed`: The request does not have the expected format · `malformed_json`: The body is not JSON */
    PasskeyOptions400: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "validation_failed" | "malformed_json";
        });
      };
    };
    /** @description `invalid_token`: The token is missing or not valid here · `insufficient_user_authentication`: Confirm your password and second factor again */
    InvalidTokenOrInsufficientUserAuthentication: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "invalid_token" | "insufficient_user_authentication";
        });
      };
    };
    /** @description `enrolment_code_required`: An enrolment code is required */
    EnrolmentCodeRequired: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "enrolment_code_required";
        };
      };
    };
    /** @description `already_enrolled`: A second factor is already active · `factor_limit_reached`: The account has too many factors of this kind */
    AlreadyEnrolledOrFactorLimitReached: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "already_enrolled" | "factor_limit_reached";
        });
      };
    };
    /** @description `invalid_code`: The code is not valid */
    InvalidCode: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "invalid_code";
        };
      };
    };
    /** @description `already_enrolled`: A second factor is already active · `factor_limit_reached`: The account has too many factors of this kind */
    AddPasskey409: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "already_enrolled" | "factor_limit_reached";
        });
      };
    };
    /** @description `passkey_rejected`: The passkey was refused */
    AddPasskey422: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "passkey_rejected";
        };
      };
    };
    /** @description `not_enrolled`: No second factor is set up */
    NotEnrolled: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "not_enrolled";
        };
      };
    };
    /** @description `invalid_token`: The token is missing or not valid here · `insufficient_user_authentication`: Confirm your password and second factor again */
    SetUpTotp401: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "invalid_token" | "insufficient_user_authentication";
        });
      };
    };
    /** @description `not_found`: Not found */
    NotFound: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "not_found";
        };
      };
    };
    /** @description `not_acceptable`: No media type in Accept is available */
    NotAcceptable: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "not_acceptable";
        };
      };
    };
    /** @description `invalid_code`: The code is not valid */
    SetUpTotp422: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "invalid_code";
        };
      };
    };
    /** @description `validation_failed`: The request does not have the expected format · `malformed_json`: The body is not JSON */
    ConfirmTotp400: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "validation_failed" | "malformed_json";
        });
      };
    };
    /** @description `factor_limit_reached`: The account has too many factors of this kind · `not_enrolled`: No second factor is set up */
    FactorLimitReachedOrNotEnrolled: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "factor_limit_reached" | "not_enrolled";
        });
      };
    };
    /** @description `invalid_code`: The code is not valid */
    ConfirmTotp422: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "invalid_code";
        };
      };
    };
    /** @description `email_unavailable`: Codes by email are not available */
    EmailUnavailable: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "email_unavailable";
        };
      };
    };
    /** @description `rate_limited`: Too many requests */
    SendEmailCode429: {
      headers: {
        /** @description Seconds to wait before the next attempt */
        "Retry-After"?: number;
      };
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "rate_limited";
        };
      };
    };
    /** @description `email_delivery_failed`: The mail could not be delivered · `unavailable`: The service is temporarily unavailable */
    EmailDeliveryFailedOrUnavailable: {
      headers: {
        /** @description Seconds to wait before the next attempt */
        "Retry-After"?: number;
      };
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "email_delivery_failed" | "unavailable";
        });
      };
    };
    /** @description `validation_failed`: The request does not have the expected format · `malformed_json`: The body is not JSON */
    SwitchEmailCodes400: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "validation_failed" | "malformed_json";
        });
      };
    };
    /** @description `two_factor_required`: The second factor is required */
    TwoFactorRequired: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "two_factor_required";
        };
      };
    };
    /** @description `email_unavailable`: Codes by email are not available */
    SwitchEmailCodes409: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "email_unavailable";
        };
      };
    };
    /** @description `rate_limited`: Too many requests */
    RenewRecoveryCodes429: {
      headers: {
        /** @description Seconds to wait before the next attempt */
        "Retry-After"?: number;
      };
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "rate_limited";
        };
      };
    };
    /** @description `invalid_token`: The token is missing or not valid here */
    VerifyCode401: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "invalid_token";
        };
      };
    };
    /** @description `not_enrolled`: No second factor is set up · `email_unavailable`: Codes by email are not available */
    NotEnrolledOrEmailUnavailable: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "not_enrolled" | "email_unavailable";
        });
      };
    };
    /** @description `invalid_code`: The code is not valid · `passkey_rejected`: The passkey was refused */
    InvalidCodeOrPasskeyRejected: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "invalid_code" | "passkey_rejected";
        });
      };
    };
    /** @description `validation_failed`: The request does not have the expected format */
    ListEvents400: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "validation_failed";
        };
      };
    };
    /** @description `not_found`: Not found */
    EndSession404: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "not_found";
        };
      };
    };
    /** @description `invalid_credentials`: Wrong username or password · `invalid_token`: The token is missing or not valid here · `insufficient_user_authentication`: Confirm your password and second factor again */
    InvalidCredentialsOrInvalidTokenOrInsufficientUserAuthentication: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "invalid_credentials" | "invalid_token" | "insufficient_user_authentication";
        });
      };
    };
    /** @description `rate_limited`: Too many requests · `too_many_attempts`: Too many failed attempts */
    StepUp429: {
      headers: {
        /** @description Seconds to wait before the next attempt */
        "Retry-After"?: number;
      };
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "rate_limited" | "too_many_attempts";
        });
      };
    };
    /** @description `invalid_token`: The token is missing or not valid here · `invalid_refresh_token`: The refresh token is not valid */
    InvalidTokenOrInvalidRefreshToken: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "invalid_token" | "invalid_refresh_token";
        });
      };
    };
    /** @description `validation_failed`: The request does not have the expected format · `malformed_json`: The body is not JSON · `bad_request`: The request is not well-formed HTTP · an error of OAuth (RFC 6749 section 5.2) */
    IntrospectToken400: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "validation_failed" | "malformed_json" | "bad_request";
        });
        "application/json": components["schemas"]["OAuthError"];
      };
    };
    /** @description `invalid_token`: The token is missing or not valid here · an error of OAuth (RFC 6749 section 5.2) */
    IntrospectToken401: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "invalid_token";
        };
        "application/json": components["schemas"]["OAuthError"];
      };
    };
    /** @description `insufficient_scope`: The client may not do this */
    InsufficientScope: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "insufficient_scope";
        };
      };
    };
    /** @description `validation_failed`: The request does not have the expected format · `malformed_json`: The body is not JSON */
    RenameFactor400: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "validation_failed" | "malformed_json";
        });
      };
    };
    /** @description `validation_failed`: The request does not have the expected format · `malformed_json`: The body is not JSON */
    ChangePassword400: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "validation_failed" | "malformed_json";
        });
      };
    };
    /** @description `password_rejected`: The password is not good enough */
    ChangePassword422: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & {
          /** @enum {string} */
          code?: "password_rejected";
        };
      };
    };
    /** @description `validation_failed`: The request does not have the expected format · `malformed_json`: The body is not JSON */
    SetEmail400: {
      content: {
        "application/problem+json": components["schemas"]["Problem"] & ({
          /** @enum {string} */
          code?: "validation_failed" | "malformed_json";
        });
      };
    };
  };
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}

export type $defs = Record<string, never>;

export type external = Record<string, never>;

export interface operations {

  /**
   * Create an account
   * @description The answer is the same as that of `/login`. Use its mfa token to set up the second factor next.
   */
  register: {
    requestBody: {
      content: {
        "application/json": {
          /** @description Unique, ignoring case. Blanks around it are removed */
          username: string;
          /** @description At least 8 of any characters, counted in code points; common passwords are rejected */
          password: string;
          /** @description ASCII before the @. A domain in another script is stored as punycode */
          email?: string | null;
        };
      };
    };
    responses: {
      /** @description The account is created. If a second factor is required, set it up next */
      201: {
        content: {
          "application/json": ({
            user: components["schemas"]["User"];
            /** @enum {boolean} */
            mfa_required: true;
            /** @description Valid only for /2fa/setup, /2fa/passkeys, /2fa/email and /2fa/verify, and what begins a passkey */
            mfa_token: string;
            /** @enum {string} */
            token_type: "Bearer";
            /** @description Lifetime of the mfa token in seconds */
            expires_in: number;
            /** @description Whether the account has a second factor */
            enrolled: boolean;
            /**
             * @description Send the code from the operator to /2fa/setup or /2fa/passkeys/options as `enrolment_code`
             * @enum {boolean}
             */
            enrolment_code_required?: true;
            /** @description Methods that /2fa/verify accepts now; if `enrolled` is false, methods that can be set up */
            methods: ("passkey" | "totp" | "email" | "recovery_code")[];
          }) | {
            user: components["schemas"]["User"];
            /** @enum {boolean} */
            mfa_required: false;
            /** @description A JWT of type `at+jwt` (RFC 9068) */
            access_token: string;
            /** @enum {string} */
            token_type: "Bearer";
            /** @description Lifetime of the access token in seconds */
            expires_in: number;
            /** @description Opaque. Send it to /token/refresh */
            refresh_token: string;
            /** @description Lifetime of the refresh token in seconds, unless it is used */
            refresh_expires_in: number;
            /** @description Valid for one change to the account (password, address, factors, recovery codes, deletion). Present only if the password and the best factor of the account were used within the last 300 s. */
            account_token?: string;
            /** @description Lifetime of the account token in seconds */
            account_expires_in?: number;
          };
        };
      };
      400: components["responses"]["Register400"];
      403: components["responses"]["RegistrationClosed"];
      409: components["responses"]["UsernameTaken"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      422: components["responses"]["PasswordRejected"];
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["OverloadedOrUnavailable"];
    };
  };
  /**
   * Sign in with username, or verified address, and password
   * @description Send the mfa token of the answer to `/2fa/verify` with a code. If no second factor is set up yet, send it to `/2fa/setup` first.
   */
  login: {
    requestBody: {
      content: {
        "application/json": {
          /** @description Or a verified address of the account */
          username: string;
          password: string;
          /** @description Signs in at once, even during a pause after wrong passwords or codes */
          recovery_code?: string | null;
        };
      };
    };
    responses: {
      /** @description The password is correct */
      200: {
        content: {
          "application/json": components["schemas"]["MfaStep"] | components["schemas"]["PasswordOnly"];
        };
      };
      400: components["responses"]["Login400"];
      401: components["responses"]["InvalidCredentials"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      422: components["responses"]["Login422"];
      429: components["responses"]["RateLimitedOrTooManyAttempts"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["OverloadedOrUnavailable"];
    };
  };
  /**
   * Set up an authenticator app
   * @description Repeated calls with the same token return the same secret until a code is tried. With an account token, the route adds an authenticator. `Accept` selects the form of the answer: JSON, the QR code as an image, or the QR code as text for a terminal.
   */
  setUpTotp: {
    requestBody?: {
      content: {
        "application/json": {
          /** @description The name that its owner has given it */
          name?: string | null;
          /** @description With an account token: the id of the authenticator that is removed when this one is confirmed */
          replaces?: string | null;
          /** @description Required if the sign-in says `enrolment_code_required`: the code that an operator handed out */
          enrolment_code?: string | null;
        };
      };
    };
    responses: {
      /** @description A pending authenticator */
      200: {
        content: {
          "application/json": components["schemas"]["Enrolment"];
          "image/png": string;
          "image/svg+xml": string;
          "text/plain": string;
        };
      };
      400: components["responses"]["PasskeyOptions400"];
      401: components["responses"]["SetUpTotp401"];
      403: components["responses"]["EnrolmentCodeRequired"];
      404: components["responses"]["NotFound"];
      406: components["responses"]["NotAcceptable"];
      409: components["responses"]["AlreadyEnrolledOrFactorLimitReached"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      422: components["responses"]["SetUpTotp422"];
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Finish the sign-in: exchange the mfa token and a code for an access token
   * @description The first code of a new authenticator confirms it, and the answer has the recovery codes.
   */
  verifyCode: {
    requestBody: {
      content: {
        "application/json": ({
          /** @enum {string} */
          method: "passkey";
          /** @description `AuthenticationResponseJSON` (WebAuthn Level 3): the `toJSON()` of the credential from the browser */
          credential: {
            id: string;
            rawId: string;
            /** @enum {string} */
            type: "public-key";
            response: {
              clientDataJSON: string;
              authenticatorData: string;
              signature: string;
              userHandle?: string | null;
            };
          };
        }) | ({
          /**
           * Format: numeric-code
           * @description Six digits in any script. Blanks, dashes and invisible characters are ignored
           */
          code: string;
          method?: "totp" | null;
        }) | {
          /**
           * Format: numeric-code
           * @description Six digits in any script. Blanks, dashes and invisible characters are ignored
           */
          code: string;
          /** @enum {string} */
          method: "email";
        } | {
          /** @description Case, blanks and dashes are ignored */
          code: string;
          /** @enum {string} */
          method: "recovery_code";
        };
      };
    };
    responses: {
      /** @description Signed in: the code is correct */
      200: {
        content: {
          "application/json": components["schemas"]["SignIn"];
        };
      };
      400: components["responses"]["ConfirmTotp400"];
      401: components["responses"]["VerifyCode401"];
      403: components["responses"]["EnrolmentCodeRequired"];
      409: components["responses"]["NotEnrolledOrEmailUnavailable"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      422: components["responses"]["InvalidCodeOrPasskeyRejected"];
      429: components["responses"]["RateLimitedOrTooManyAttempts"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Get the name, the version and the links of the service
   * @description The links are paths of this service.
   */
  getService: {
    responses: {
      /** @description Name, version and links of the service */
      200: {
        content: {
          "application/json": {
            name: string;
            /** @description The version of the service */
            version: string;
            links: {
              /** @description Swagger UI */
              docs?: string;
              openapi: string;
              jwks: string;
              ready: string;
            };
          };
        };
      };
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Check that the process is alive
   * @description Checks neither the database nor Redis.
   */
  getLiveness: {
    responses: {
      /** @description Alive */
      200: {
        content: {
          "application/json": {
            /** @enum {string} */
            status: "ok";
          };
        };
      };
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Check that the service is ready for requests
   * @description Answers 503 while the database cannot store anything, and before the process ends.
   */
  getReadiness: {
    responses: {
      /** @description Ready to serve */
      200: {
        content: {
          "application/json": {
            /** @enum {string} */
            status: "ok";
            checks: {
              /**
               * @description It stored a row within the last seconds
               * @enum {string}
               */
              database: "ok";
              /**
               * @description Only if there is a pooler in front of PostgreSQL, such as PgBouncer
               * @enum {string}
               */
              pooler?: "ok";
              /** @description Only if `REDIS_URL` is set. While Redis is unavailable, each process enforces its share of the limits */
              redis?: "ok" | "unavailable";
            };
            /** @description Problems for an operator to look at, although the service works */
            warnings?: string[];
          };
        };
      };
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["GetReadiness503"];
    };
  };
  /**
   * Get the rules and methods of this service, for the forms of an app
   * @description With it, a form can show in advance how long a password has to be, and whether registration is open.
   */
  getConfig: {
    responses: {
      /** @description Rules and methods of the service */
      200: {
        content: {
          "application/json": {
            name: string;
            version: string;
            /** @enum {string} */
            registration: "open" | "closed";
            /** @enum {string} */
            mfa_policy: "required" | "optional";
            password: {
              min_length: number;
              max_length: number;
            };
            username: {
              min_length: number;
              max_length: number;
              /** @description Whether a new username can contain an `@` */
              at_sign: boolean;
            };
            /** @description The second factors that this service accepts, including recovery codes */
            methods: ("passkey" | "totp" | "email" | "recovery_code")[];
            mail: {
              /** @description Whether mailed codes count as a second factor */
              codes: boolean;
              /** @description Whether a forgotten password can be reset by mail */
              reset: boolean;
            };
            token_lifetimes: {
              /** @description Lifetime in seconds */
              mfa_token: number;
              /** @description Lifetime in seconds */
              access_token: number;
              /** @description Lifetime in seconds */
              account_token: number;
              /** @description Seconds from its last use */
              refresh_token: number;
            };
          };
        };
      };
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Get what each problem code means, as JSON or as a page
   * @description The `type` of each problem links to this page.
   */
  getProblems: {
    responses: {
      /** @description Every problem code */
      200: {
        content: {
          "application/json": {
            problems: {
                code: string;
                status: number;
                title: string;
                meaning: string;
              }[];
          };
        };
      };
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Get the public keys that verify access tokens (RFC 7517)
   * @description A service caches them, and fetches them again when a token names a key that it does not know.
   */
  getJwks: {
    responses: {
      /** @description The public keys of access tokens: the current key, the next one, and older ones that are still in use */
      200: {
        content: {
          "application/json": {
            keys: {
                kty: string;
                crv?: string;
                x?: string;
                y?: string;
                n?: string;
                e?: string;
                kid: string;
                alg: string;
                use: string;
              }[];
          };
        };
      };
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Get the issuer and its endpoints (RFC 8414)
   * @description OAuth libraries use it to find the other endpoints.
   */
  getServerMetadata: {
    responses: {
      /** @description The metadata of the authorization server */
      200: {
        content: {
          "application/json": {
            issuer: string;
            jwks_uri: string;
            token_endpoint: string;
            token_endpoint_auth_methods_supported: string[];
            grant_types_supported: string[];
            scopes_supported: string[];
            response_types_supported: string[];
            revocation_endpoint: string;
            revocation_endpoint_auth_methods_supported: string[];
            introspection_endpoint: string;
            introspection_endpoint_auth_methods_supported: string[];
            service_documentation?: string;
          };
        };
      };
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Exchange a refresh token for new tokens
   * @description A refresh token works once. A repeat, after a lost response or from another tab, returns the same new refresh token while that one is unused, if it carries the `Idempotency-Key` of the first use or comes within 60 seconds from the same network (IPv4 /24, IPv6 /48). Any other repeat ends the session. A session can be refreshed at most ten times a minute. A refresh that is refused with `rate_limited` does not use up the token.
   */
  refreshToken: {
    parameters: {
      header?: {
        /**
         * @description A random value. Store it with the refresh token before you send it, and send it with each repeat. A repeat with it is answered no matter how late it comes. A thief who has copied the token does not know it.
         * @example 0c8a6a3e-9a0f-4b57-8f0f-6c1a3c3c1c55
         */
        "idempotency-key"?: string;
      };
    };
    requestBody: {
      content: {
        /**
         * @example {
         *   "refresh_token": "tt9h-jFsXbdFDtiLFWTAKuaJiSLREsf3uO7RhOAovrp"
         * }
         */
        "application/json": {
          refresh_token: string;
          /** @description The audience of the access token: the first of `AUDIENCE`, or another one */
          resource?: string | null;
        };
      };
    };
    responses: {
      /** @description The tokens of a session */
      200: {
        content: {
          "application/json": components["schemas"]["TokenResponse"];
        };
      };
      400: components["responses"]["RefreshToken400"];
      401: components["responses"]["InvalidRefreshToken"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      429: components["responses"]["RefreshToken429"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Exchange a refresh token, or the secret of a service client, for tokens (RFC 6749)
   * @description The token endpoint for OAuth libraries. People use the public client `keyturn`. A service client sends its secret by HTTP Basic or in the form.
   */
  requestToken: {
    parameters: {
      header?: {
        /**
         * @description A random value. Store it with the refresh token before you send it, and send it with each repeat. A repeat with it is answered no matter how late it comes. A thief who has copied the token does not know it.
         * @example 0c8a6a3e-9a0f-4b57-8f0f-6c1a3c3c1c55
         */
        "idempotency-key"?: string;
      };
    };
    requestBody: {
      content: {
        "application/x-www-form-urlencoded": {
          /** @description `refresh_token` or `client_credentials` */
          grant_type: string;
          refresh_token?: string;
          /** @description For a service client: `introspect` */
          scope?: string;
          /** @description The audience of the access token: the first of `AUDIENCE`, or another one */
          resource?: string;
          /** @description Without HTTP Basic */
          client_id?: string;
          /** @description Its secret */
          client_secret?: string;
        };
      };
    };
    responses: {
      /** @description Tokens, in the format of OAuth */
      200: {
        content: {
          "application/json": components["schemas"]["OAuthTokens"];
        };
      };
      400: components["responses"]["RequestToken400"];
      401: components["responses"]["RequestToken401"];
      429: components["responses"]["RequestToken429"];
      500: components["responses"]["RequestToken500"];
      503: components["responses"]["RequestToken503"];
    };
  };
  /**
   * End the session of a token (RFC 7009)
   * @description Accepts a refresh token, even a used one, or a valid access token. For any other token nothing happens, and the answer is the same.
   */
  revokeToken: {
    requestBody: {
      content: {
        /**
         * @example {
         *   "token": "A7Tc0-h23IDyz5m0lOjemUdwS_VfvMCptCUj1dxpHy5"
         * }
         */
        "application/json": {
          token: string;
          /** @description Accepted and ignored */
          token_type_hint?: string | null;
        };
        /**
         * @example {
         *   "token": "A7Tc0-h23IDyz5m0lOjemUdwS_VfvMCptCUj1dxpHy5"
         * }
         */
        "application/x-www-form-urlencoded": {
          token: string;
          /** @description Accepted and ignored */
          token_type_hint?: string | null;
        };
      };
    };
    responses: {
      /** @description Its session has ended */
      200: {
        content: never;
      };
      400: components["responses"]["RevokeToken400"];
      429: components["responses"]["RequestToken429"];
      500: components["responses"]["RequestToken500"];
      503: components["responses"]["RequestToken503"];
    };
  };
  /**
   * Request a password reset by email
   * @description The answer is the same for every username and address. Emails are sent only to verified addresses.
   */
  requestPasswordReset: {
    requestBody: {
      content: {
        "application/json": {
          /** @description Or a verified address of the account */
          username: string;
        };
      };
    };
    responses: {
      /** @description Accepted */
      202: {
        content: never;
      };
      400: components["responses"]["RequestPasswordReset400"];
      409: components["responses"]["RequestPasswordReset409"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Set a new password with the token from the email
   * @description Ends every session. The second factor does not change. If it is a code sent to the same mailbox, a recovery code is required.
   */
  resetPassword: {
    requestBody: {
      content: {
        /**
         * @example {
         *   "token": "A7Tc0-h23IDyz5m0lOjemUdwS_VfvMCptCUj1dxpHy5",
         *   "new_password": "staple in a haystack"
         * }
         */
        "application/json": {
          /** @description From the email */
          token: string;
          /** @description At least 8 of any characters, counted in code points; common passwords are rejected */
          new_password: string;
          /** @description Required if email is the only second factor */
          recovery_code?: string | null;
        };
      };
    };
    responses: {
      /** @description No content */
      204: {
        content: never;
      };
      400: components["responses"]["ResetPassword400"];
      401: components["responses"]["InvalidToken"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      422: components["responses"]["ResetPassword422"];
      429: components["responses"]["RateLimitedOrTooManyAttempts"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["OverloadedOrUnavailable"];
    };
  };
  /**
   * Get the options for a sign-in with a passkey alone
   * @description Pass them to `navigator.credentials.get()`, and send its result to `/login/passkey`.
   */
  passkeySignInOptions: {
    responses: {
      /** @description The options that a browser passes to its authenticators */
      200: {
        content: {
          "application/json": components["schemas"]["PasskeyOptions"];
        };
      };
      400: components["responses"]["ValidationFailedOrMalformedJson"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Sign in with a passkey alone
   * @description The authenticator must have verified its owner by fingerprint, face or PIN.
   */
  signInWithPasskey: {
    requestBody: {
      content: {
        /**
         * @example {
         *   "credential": {
         *     "id": "2zpB9J_orvi2l18Oh9GUCzLOVqoClD2LogHhUXZ8NBT",
         *     "rawId": "2zpB9J_orvi2l18Oh9GUCzLOVqoClD2LogHhUXZ8NBT",
         *     "type": "public-key",
         *     "response": {
         *       "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiSjRzbEY0WTh3X21ZVFEzWFY1MGNmREgwTV82T09qN0d2b2huLUlMYW95cVFQSExwZks3ZGtQM0d2dXZuSHl0Q2pvVlloSVFsIiwib3JpZ2luIjoiaHR0cDovL2xvY2FsaG9zdDozMDAwIiwiY3Jvc3NPcmlnaW4iOmZhbHNlfQ",
         *       "authenticatorData": "JlkQTsAKdriMqE84HF0LUSqgiRqfQADxZkQh8fexppk",
         *       "signature": "MEUCIQ",
         *       "userHandle": "K2VjFWi4FoxWCbVc-GrISVT4Zircz0gmBgnnUM_npHp"
         *     }
         *   }
         * }
         */
        "application/json": {
          /** @description `AuthenticationResponseJSON` (WebAuthn Level 3): the `toJSON()` of the credential from the browser */
          credential: {
            id: string;
            rawId: string;
            /** @enum {string} */
            type: "public-key";
            response: {
              clientDataJSON: string;
              authenticatorData: string;
              signature: string;
              userHandle?: string | null;
            };
          };
        };
      };
    };
    responses: {
      /** @description Signed in: the code is correct */
      200: {
        content: {
          "application/json": components["schemas"]["SignIn"];
        };
      };
      400: components["responses"]["SignInWithPasskey400"];
      401: components["responses"]["UnknownCredential"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      422: components["responses"]["SignInWithPasskey422"];
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Get the options for making a passkey
   * @description Pass them to `navigator.credentials.create()`, and send its result to `/2fa/passkeys`.
   */
  passkeyOptions: {
    requestBody?: {
      content: {
        /** @example {} */
        "application/json": {
          /** @description Required if the sign-in says `enrolment_code_required`: the code that an operator handed out */
          enrolment_code?: string | null;
        };
      };
    };
    responses: {
      /** @description The options that a browser passes to its authenticators */
      200: {
        content: {
          "application/json": components["schemas"]["PasskeyOptions"];
        };
      };
      400: components["responses"]["PasskeyOptions400"];
      401: components["responses"]["InvalidTokenOrInsufficientUserAuthentication"];
      403: components["responses"]["EnrolmentCodeRequired"];
      409: components["responses"]["AlreadyEnrolledOrFactorLimitReached"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      422: components["responses"]["InvalidCode"];
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Add the passkey to the account
   * @description With an mfa token, the passkey becomes the first factor, and the answer is that of a sign-in. With an account token, it is added to the other factors. If there was no factor before, the answer has the tokens of a new session, and all other sessions end.
   */
  addPasskey: {
    requestBody: {
      content: {
        /**
         * @example {
         *   "credential": {
         *     "id": "2zpB9J_orvi2l18Oh9GUCzLOVqoClD2LogHhUXZ8NBT",
         *     "rawId": "2zpB9J_orvi2l18Oh9GUCzLOVqoClD2LogHhUXZ8NBT",
         *     "type": "public-key",
         *     "response": {
         *       "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIiwiY2hhbGxlbmdlIjoiSjRzbEY0WTh3X21ZVFEzWFY1MGNmREgwTV82T09qN0d2b2huLUlMYW95cVFQSExwZks3ZGtQM0d2dXZuSHl0Q2pvVlloSVFsIiwib3JpZ2luIjoiaHR0cDovL2xvY2FsaG9zdDozMDAwIiwiY3Jvc3NPcmlnaW4iOmZhbHNlfQ",
         *       "attestationObject": "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVik",
         *       "transports": [
         *         "internal"
         *       ]
         *     }
         *   }
         * }
         */
        "application/json": {
          /** @description `RegistrationResponseJSON` (WebAuthn Level 3): the `toJSON()` of the credential from the browser */
          credential: {
            id: string;
            rawId: string;
            /** @enum {string} */
            type: "public-key";
            response: {
              clientDataJSON: string;
              attestationObject: string;
              transports?: string[] | null;
            };
          };
          /** @description The name that its owner has given it */
          name?: string | null;
        };
      };
    };
    responses: {
      /** @description Signed in: the code is correct */
      200: {
        content: {
          "application/json": components["schemas"]["SignIn"];
        };
      };
      /** @description The passkey is now a factor of the account */
      201: {
        content: {
          "application/json": components["schemas"]["FactorAdded"];
        };
      };
      400: components["responses"]["SignInWithPasskey400"];
      401: components["responses"]["InvalidTokenOrInsufficientUserAuthentication"];
      403: components["responses"]["EnrolmentCodeRequired"];
      409: components["responses"]["AddPasskey409"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      422: components["responses"]["AddPasskey422"];
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Get the options for a passkey at `/2fa/verify` or `/2fa/step-up`
   * @description Pass them to `navigator.credentials.get()`, and send its result as `credential` with the method `passkey`.
   */
  passkeyChallenge: {
    responses: {
      /** @description The options that a browser passes to its authenticators */
      200: {
        content: {
          "application/json": components["schemas"]["PasskeyOptions"];
        };
      };
      400: components["responses"]["ValidationFailedOrMalformedJson"];
      401: components["responses"]["InvalidToken"];
      409: components["responses"]["NotEnrolled"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Confirm the authenticator that was set up with an account token
   * @description From now on its codes can be used to sign in. If it replaces another authenticator, that one is removed. Every session ends. The answer has the tokens of a new session.
   */
  confirmTotp: {
    requestBody: {
      content: {
        /**
         * @example {
         *   "code": "492039"
         * }
         */
        "application/json": {
          /**
           * Format: numeric-code
           * @description Six digits in any script. Blanks, dashes and invisible characters are ignored
           */
          code: string;
        };
      };
    };
    responses: {
      /** @description The factor is active. These are the tokens of a new session; all other sessions have ended */
      200: {
        content: {
          "application/json": components["schemas"]["Confirmed"];
        };
      };
      400: components["responses"]["ConfirmTotp400"];
      401: components["responses"]["InvalidTokenOrInsufficientUserAuthentication"];
      409: components["responses"]["FactorLimitReachedOrNotEnrolled"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      422: components["responses"]["ConfirmTotp422"];
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Switch codes by email on or off
   * @description On: a code that is mailed to the verified address can be used to sign in, as an alternative to the other second factor, at `acr` `aal1`. Off: all other sessions end.
   */
  switchEmailCodes: {
    requestBody: {
      content: {
        /**
         * @example {
         *   "enabled": true
         * }
         */
        "application/json": {
          enabled: boolean;
        };
      };
    };
    responses: {
      /** @description No content */
      204: {
        content: never;
      };
      400: components["responses"]["SwitchEmailCodes400"];
      401: components["responses"]["InvalidTokenOrInsufficientUserAuthentication"];
      403: components["responses"]["TwoFactorRequired"];
      409: components["responses"]["SwitchEmailCodes409"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Send a code by email
   * @description A new code replaces the previous one. A wrong code counts towards the same five attempts.
   */
  sendEmailCode: {
    responses: {
      /** @description The code is on its way */
      202: {
        content: {
          "application/json": {
            /** @description The email address, masked */
            sent_to: string;
            /** @description Lifetime of the code in seconds */
            expires_in: number;
            /** @description Seconds until another code can be requested */
            resend_after: number;
          };
        };
      };
      400: components["responses"]["ValidationFailedOrMalformedJson"];
      401: components["responses"]["InvalidToken"];
      403: components["responses"]["EnrolmentCodeRequired"];
      409: components["responses"]["EmailUnavailable"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      429: components["responses"]["SendEmailCode429"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["EmailDeliveryFailedOrUnavailable"];
    };
  };
  /**
   * Replace the recovery codes with ten new ones
   * @description At most five times an hour.
   */
  renewRecoveryCodes: {
    responses: {
      /** @description The new recovery codes; they are not shown again */
      200: {
        content: {
          "application/json": {
            recovery_codes: string[];
          };
        };
      };
      400: components["responses"]["ValidationFailedOrMalformedJson"];
      401: components["responses"]["InvalidTokenOrInsufficientUserAuthentication"];
      409: components["responses"]["NotEnrolled"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      429: components["responses"]["RenewRecoveryCodes429"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Get the account
   * @description Shows the current state. The claims of an access token show the state at the time when it was issued.
   */
  getMe: {
    responses: {
      /** @description An account, as its owner sees it */
      200: {
        content: {
          "application/json": components["schemas"]["User"];
        };
      };
      401: components["responses"]["InvalidToken"];
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Delete the account and everything that belongs to it
   * @description Every session ends. The account cannot be restored.
   */
  deleteMe: {
    responses: {
      /** @description No content */
      204: {
        content: never;
      };
      400: components["responses"]["ValidationFailedOrMalformedJson"];
      401: components["responses"]["InvalidTokenOrInsufficientUserAuthentication"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * List the events of the account: its audit trail
   * @description The newest first.
   */
  listEvents: {
    parameters: {
      query?: {
        /** @description `next` of the previous page */
        before?: string;
        /** @description Events per page, 1 to 100; 50 by default */
        limit?: string;
      };
    };
    responses: {
      /** @description A page of events */
      200: {
        content: {
          "application/json": {
            /** @description Newest first */
            events: components["schemas"]["AuditEvent"][];
            /** @description The `before` of the next page; null on the last page */
            next: string | null;
          };
        };
      };
      400: components["responses"]["ListEvents400"];
      401: components["responses"]["InvalidToken"];
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * List the active sessions of the account
   * @description The session of the access token in use is `current`.
   */
  listSessions: {
    parameters: {
      query?: {
        /** @description `next` of the previous page */
        before?: string;
        /** @description Sessions per page, 1 to 100; 50 by default */
        limit?: string;
      };
    };
    responses: {
      /** @description A page of active sessions */
      200: {
        content: {
          "application/json": {
            /** @description Most recently used first */
            sessions: components["schemas"]["Session"][];
            /** @description The `before` of the next page; null on the last page */
            next: string | null;
          };
        };
      };
      400: components["responses"]["ListEvents400"];
      401: components["responses"]["InvalidToken"];
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * End all other sessions of the account
   * @description The session of the access token in use stays active.
   */
  endOtherSessions: {
    responses: {
      /** @description No content */
      204: {
        content: never;
      };
      400: components["responses"]["ValidationFailedOrMalformedJson"];
      401: components["responses"]["InvalidToken"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * End one session of the account
   * @description Its refresh token stops working at once. Other services accept its access token until that expires.
   */
  endSession: {
    parameters: {
      path: {
        id: string;
      };
    };
    responses: {
      /** @description No content */
      204: {
        content: never;
      };
      400: components["responses"]["ValidationFailedOrMalformedJson"];
      401: components["responses"]["InvalidToken"];
      404: components["responses"]["EndSession404"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Get the second factors of the account
   * @description Also shows how many recovery codes are left.
   */
  getFactors: {
    responses: {
      /** @description The second factors of the account */
      200: {
        content: {
          "application/json": {
            factors: components["schemas"]["Factor"][];
            /** @description The input for the Signal API (WebAuthn Level 3 section 5.1.10) */
            passkeys: {
              rp_id: string;
              user_id: string;
              credential_ids: string[];
            };
            recovery_codes: {
              remaining: number;
              generated_at: string | null;
            };
          };
        };
      };
      401: components["responses"]["InvalidToken"];
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Remove the second factor, if the service does not require one
   * @description Every session ends. The answer has the tokens of a new session.
   */
  removeFactors: {
    responses: {
      /** @description The tokens of a session */
      200: {
        content: {
          "application/json": components["schemas"]["TokenResponse"];
        };
      };
      400: components["responses"]["ValidationFailedOrMalformedJson"];
      401: components["responses"]["InvalidTokenOrInsufficientUserAuthentication"];
      403: components["responses"]["TwoFactorRequired"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Confirm the second factor and the password again, and get an account token
   * @description The answer has an account token if the password and the best factor of the account were used within the last 300 s (RFC 9470). Within 300 s of a sign-in, a code alone is enough.
   */
  stepUp: {
    requestBody: {
      content: {
        "application/json": ({
          /** @enum {string} */
          method: "passkey";
          /** @description `AuthenticationResponseJSON` (WebAuthn Level 3): the `toJSON()` of the credential from the browser */
          credential: {
            id: string;
            rawId: string;
            /** @enum {string} */
            type: "public-key";
            response: {
              clientDataJSON: string;
              authenticatorData: string;
              signature: string;
              userHandle?: string | null;
            };
          };
          password?: string | null;
        }) | ({
          /**
           * Format: numeric-code
           * @description Six digits in any script. Blanks, dashes and invisible characters are ignored
           */
          code: string;
          method?: "totp" | null;
          password?: string | null;
        }) | ({
          /**
           * Format: numeric-code
           * @description Six digits in any script. Blanks, dashes and invisible characters are ignored
           */
          code: string;
          /** @enum {string} */
          method: "email";
          password?: string | null;
        }) | ({
          /** @description Case, blanks and dashes are ignored */
          code: string;
          /** @enum {string} */
          method: "recovery_code";
          password?: string | null;
        }) | {
          /** @enum {string} */
          method: "password";
          password: string;
        };
      };
    };
    responses: {
      /** @description A new access token for the same session. The refresh token does not change */
      200: {
        content: {
          "application/json": components["schemas"]["StepUpResponse"];
        };
      };
      400: components["responses"]["ConfirmTotp400"];
      401: components["responses"]["InvalidCredentialsOrInvalidTokenOrInsufficientUserAuthentication"];
      409: components["responses"]["NotEnrolledOrEmailUnavailable"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      422: components["responses"]["InvalidCodeOrPasskeyRejected"];
      429: components["responses"]["StepUp429"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["OverloadedOrUnavailable"];
    };
  };
  /**
   * Sign out: end the current session
   * @description If the body has the refresh token, no access token is required, as it may have expired. A used refresh token works too.
   */
  logout: {
    requestBody?: {
      content: {
        "application/json": {
          refresh_token?: string | null;
        };
      };
    };
    responses: {
      /** @description No content */
      204: {
        content: never;
      };
      400: components["responses"]["PasskeyOptions400"];
      401: components["responses"]["InvalidTokenOrInvalidRefreshToken"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Verify the new email address with the code or the link that was sent to it
   * @description The code from the email requires the access token of the account. The token from the link requires none, and the answer then contains only the masked address. All other sessions end. The session that asked for the link stays.
   */
  verifyEmail: {
    requestBody: {
      content: {
        "application/json": {
          /**
           * Format: numeric-code
           * @description Six digits in any script. Blanks, dashes and invisible characters are ignored
           */
          code: string;
        } | {
          /** @description From the email */
          token: string;
        };
      };
    };
    responses: {
      /** @description Default Response */
      200: {
        content: {
          "application/json": components["schemas"]["User"] | {
            /** @description The proven address, masked */
            email: string;
          };
        };
      };
      400: components["responses"]["ConfirmTotp400"];
      401: components["responses"]["InvalidToken"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      422: components["responses"]["InvalidCode"];
      429: components["responses"]["RateLimitedOrTooManyAttempts"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Check whether an access token is active (RFC 7662)
   * @description For services that must notice at once when a session ends. A service client authenticates with its secret or its own token, and sees tokens for its audience. A person sees the tokens of their own session. For any other token the answer is `{"active": false}`.
   */
  introspectToken: {
    requestBody: {
      content: {
        /**
         * @example {
         *   "token": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6InFYclBxUkxaZWxINlFHQkstVWZqVHE5SlFkU1llMDE4RXRNeFVUUVh3VlQifQ.eyJpc3MiOiJo…"
         * }
         */
        "application/json": {
          token: string;
          /** @description Accepted and ignored */
          token_type_hint?: string | null;
          /** @description Without HTTP Basic */
          client_id?: string | null;
          /** @description Its secret */
          client_secret?: string | null;
        };
        /**
         * @example {
         *   "token": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6InFYclBxUkxaZWxINlFHQkstVWZqVHE5SlFkU1llMDE4RXRNeFVUUVh3VlQifQ.eyJpc3MiOiJo…"
         * }
         */
        "application/x-www-form-urlencoded": {
          token: string;
          /** @description Accepted and ignored */
          token_type_hint?: string | null;
          /** @description Without HTTP Basic */
          client_id?: string | null;
          /** @description Its secret */
          client_secret?: string | null;
        };
      };
    };
    responses: {
      /** @description The claims of an active access token, or `active: false` alone */
      200: {
        content: {
          "application/json": components["schemas"]["Introspection"];
        };
      };
      400: components["responses"]["IntrospectToken400"];
      401: components["responses"]["IntrospectToken401"];
      403: components["responses"]["InsufficientScope"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      429: components["responses"]["RateLimitedOrTooManyAttempts"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Remove one factor
   * @description Every session ends. The answer has the tokens of a new session. The last factor can be removed only if the service does not require one. The recovery codes are removed with it.
   */
  removeFactor: {
    parameters: {
      path: {
        id: string;
      };
    };
    responses: {
      /** @description The tokens of a session */
      200: {
        content: {
          "application/json": components["schemas"]["TokenResponse"];
        };
      };
      400: components["responses"]["ValidationFailedOrMalformedJson"];
      401: components["responses"]["InvalidTokenOrInsufficientUserAuthentication"];
      403: components["responses"]["TwoFactorRequired"];
      404: components["responses"]["NotFound"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Rename a factor
   * @description The account token stays valid.
   */
  renameFactor: {
    parameters: {
      path: {
        id: string;
      };
    };
    requestBody: {
      content: {
        /**
         * @example {
         *   "name": "Work phone"
         * }
         */
        "application/json": {
          /** @description The name that its owner has given it */
          name: string;
        };
      };
    };
    responses: {
      /** @description A second factor of the account */
      200: {
        content: {
          "application/json": components["schemas"]["Factor"];
        };
      };
      400: components["responses"]["RenameFactor400"];
      401: components["responses"]["InvalidTokenOrInsufficientUserAuthentication"];
      404: components["responses"]["NotFound"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["Unavailable"];
    };
  };
  /**
   * Change the password
   * @description Every session ends. The answer has the tokens of a new session.
   */
  changePassword: {
    requestBody: {
      content: {
        /**
         * @example {
         *   "current_password": "correct horse battery",
         *   "new_password": "a long enough passphrase"
         * }
         */
        "application/json": {
          current_password: string;
          /** @description At least 8 of any characters, counted in code points; common passwords are rejected */
          new_password: string;
        };
      };
    };
    responses: {
      /** @description The tokens of a session */
      200: {
        content: {
          "application/json": components["schemas"]["TokenResponse"];
        };
      };
      400: components["responses"]["ChangePassword400"];
      401: components["responses"]["InvalidCredentialsOrInvalidTokenOrInsufficientUserAuthentication"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      422: components["responses"]["ChangePassword422"];
      429: components["responses"]["RateLimitedOrTooManyAttempts"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["OverloadedOrUnavailable"];
    };
  };
  /**
   * Set or change the email address, or verify the current one
   * @description Sends a code to the address. The change takes effect when the code is verified.
   */
  setEmail: {
    requestBody: {
      content: {
        /**
         * @example {
         *   "email": "ada@example.com"
         * }
         */
        "application/json": {
          /**
           * Format: idn-email
           * @description ASCII before the @. A domain in another script is stored as punycode
           */
          email: string;
        };
      };
    };
    responses: {
      /** @description Accepted */
      202: {
        content: never;
      };
      400: components["responses"]["SetEmail400"];
      401: components["responses"]["InvalidTokenOrInsufficientUserAuthentication"];
      409: components["responses"]["EmailUnavailable"];
      413: components["responses"]["PayloadTooLarge"];
      415: components["responses"]["UnsupportedMediaType"];
      429: components["responses"]["RateLimited"];
      500: components["responses"]["InternalError"];
      503: components["responses"]["EmailDeliveryFailedOrUnavailable"];
    };
  };
}

/** The security schemes of the document. */
export type SecurityScheme = "mfaToken" | "accessToken" | "accountToken";

/** Which tokens an operation takes: any one of those listed, the first that the client has. */
export const security = {
  "POST /register": [],
  "POST /login": [],
  "POST /2fa/setup": ["mfaToken","accountToken"],
  "POST /2fa/verify": ["mfaToken"],
  "GET /": [],
  "GET /livez": [],
  "GET /readyz": [],
  "GET /config": [],
  "GET /problems": [],
  "GET /.well-known/jwks.json": [],
  "GET /.well-known/oauth-authorization-server": [],
  "POST /token/refresh": [],
  "POST /token": [],
  "POST /token/revoke": [],
  "POST /password/forgot": [],
  "POST /password/reset": [],
  "POST /login/passkey/options": [],
  "POST /login/passkey": [],
  "POST /2fa/passkeys/options": ["mfaToken","accountToken"],
  "POST /2fa/passkeys": ["mfaToken","accountToken"],
  "POST /2fa/passkeys/challenge": ["mfaToken","accessToken"],
  "POST /2fa/setup/confirm": ["accountToken"],
  "POST /2fa/email": ["mfaToken"],
  "PUT /2fa/email": ["accountToken"],
  "POST /2fa/recovery-codes": ["accountToken"],
  "GET /me": ["accessToken"],
  "DELETE /me": ["accountToken"],
  "GET /me/events": ["accessToken"],
  "GET /sessions": ["accessToken"],
  "DELETE /sessions": ["accessToken"],
  "DELETE /sessions/{id}": ["accessToken"],
  "GET /2fa": ["accessToken"],
  "DELETE /2fa": ["accountToken"],
  "POST /2fa/step-up": ["accessToken"],
  "POST /logout": ["accessToken"],
  "POST /me/email/verify": ["accessToken"],
  "POST /token/introspect": ["accessToken"],
  "PATCH /2fa/factors/{id}": ["accountToken"],
  "DELETE /2fa/factors/{id}": ["accountToken"],
  "POST /password/change": ["accountToken"],
  "PUT /me/email": ["accountToken"],
} as const satisfies Record<string, readonly SecurityScheme[]>;
