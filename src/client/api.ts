// Made from openapi/openapi.json by npm run openapi.

export interface paths {
  "/": {
    /** Name and links */
    get: operations["getService"];
  };
  "/livez": {
    /** Whether the process runs */
    get: operations["getLiveness"];
  };
  "/readyz": {
    /** Whether requests should be sent here */
    get: operations["getReadiness"];
  };
  "/.well-known/jwks.json": {
    /** The keys to check access tokens with (RFC 7517) */
    get: operations["getJwks"];
  };
  "/.well-known/oauth-authorization-server": {
    /** The issuer and its endpoints (RFC 8414) */
    get: operations["getServerMetadata"];
  };
  "/register": {
    /** Make an account */
    post: operations["register"];
  };
  "/login": {
    /** Show a password, get an mfa token */
    post: operations["login"];
  };
  "/token/refresh": {
    /**
     * Swap a refresh token for the next one and an access token
     * @description A refresh token is good once. The same call again within ten seconds, after a lost answer or from another tab, gets the same next token; any later use of an old one ends the session.
     */
    post: operations["refresh"];
  };
  "/password/forgot": {
    /**
     * Ask for a mail that resets the password
     * @description The answer is the same for every username. The mail goes to the address that the account has proven, and to nobody else.
     */
    post: operations["forgetPassword"];
  };
  "/password/reset": {
    /**
     * Set a new password with the token from the mail
     * @description Ends every session. The second factor stays as it is; where it is a code to the same mailbox, a recovery code is needed here.
     */
    post: operations["resetPassword"];
  };
  "/2fa/setup": {
    /**
     * Set up an authenticator
     * @description Makes a new pending secret and voids the one before it. By `Accept`, the answer is JSON, the QR code as a picture, or the QR code drawn for a terminal.
     */
    post: operations["setUpTotp"];
  };
  "/2fa/verify": {
    /** Swap the mfa token and a code for an access token */
    post: operations["verify"];
  };
  "/2fa/email": {
    /**
     * Send a code to the address of the account
     * @description Each mail voids the code before it. A wrong code counts against the same five tries.
     */
    post: operations["sendEmailCode"];
  };
  "/me": {
    /** The account of the access token */
    get: operations["getMe"];
    /** Delete the account and everything that belongs to it */
    delete: operations["deleteMe"];
  };
  "/me/events": {
    /** What happened to the account: its own audit trail */
    get: operations["listEvents"];
  };
  "/logout": {
    /** End the session of this access token */
    post: operations["logout"];
  };
  "/sessions": {
    /** Where the account is signed in */
    get: operations["listSessions"];
    /** End all other sessions of the account */
    delete: operations["endOtherSessions"];
  };
  "/sessions/{id}": {
    /** End one session of the account */
    delete: operations["endSession"];
  };
  "/token/introspect": {
    /**
     * Whether an access token is live (RFC 7662)
     * @description For services that must notice at once when a session ends. The answer for an unknown, expired, ended or foreign token is `{"active": false}`.
     */
    post: operations["introspect"];
  };
  "/2fa": {
    /** The second factors of the account */
    get: operations["getFactors"];
    /** Remove the second factor, where the service does not require one */
    delete: operations["removeFactors"];
  };
  "/2fa/step-up": {
    /**
     * Prove the second factor anew, get a fresh access token
     * @description What changes a factor or a credential asks for a token whose `auth_time` is at most 300 s ago (RFC 9470).
     */
    post: operations["stepUp"];
  };
  "/me/email/verify": {
    /** Prove the new address with the code that was sent to it */
    post: operations["verifyEmail"];
  };
  "/2fa/setup/confirm": {
    /**
     * Confirm the authenticator that was set up with an access token
     * @description The new authenticator takes the place of the old one at this moment. The answer has new tokens for the same session.
     */
    post: operations["confirmTotp"];
  };
  "/2fa/recovery-codes": {
    /** Make ten new recovery codes; the old ones are void */
    post: operations["renewRecoveryCodes"];
  };
  "/password/change": {
    /**
     * Set a new password
     * @description Every other session ends.
     */
    post: operations["changePassword"];
  };
  "/me/email": {
    /**
     * Set or change the address, or prove the present one
     * @description A code goes to the new address, which counts when the code has come back.
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
       * @description `urn:keyturn:problem:<code>`
       */
      type: string;
      title: string;
      status: number;
      /** @description For people; programs go by the code. */
      detail: string;
      /** @enum {unknown} */
      code: "validation_failed" | "malformed_json" | "bad_request" | "invalid_credentials" | "invalid_token" | "invalid_refresh_token" | "insufficient_user_authentication" | "two_factor_required" | "registration_closed" | "not_found" | "method_not_allowed" | "not_acceptable" | "request_timeout" | "username_taken" | "already_enrolled" | "not_enrolled" | "email_unavailable" | "payload_too_large" | "unsupported_media_type" | "invalid_code" | "recovery_code_required" | "password_rejected" | "rate_limited" | "too_many_attempts" | "headers_too_large" | "internal_error" | "email_delivery_failed" | "overloaded" | "unavailable";
      /** @description Finds the request in the log. */
      request_id: string;
      errors?: {
          /** @description JSON Pointer (RFC 6901) into the body */
          pointer: string;
          detail: string;
        }[];
      attempts_left?: number;
      /**
       * Format: date-time
       * @description RFC 3339, UTC
       */
      server_time?: string;
    };
    /** @description An account, as its owner sees it */
    User: {
      /** Format: uuid */
      id: string;
      username: string;
      email: string | null;
      email_verified: boolean;
      two_factor_enabled: boolean;
      /**
       * Format: date-time
       * @description RFC 3339, UTC
       */
      created_at: string;
    };
    /** @description Something that happened to the account */
    AuditEvent: {
      /** Format: uuid */
      id: string;
      /**
       * Format: date-time
       * @description RFC 3339, UTC
       */
      at: string;
      /** @enum {unknown} */
      event: "account_registered" | "account_created" | "account_imported" | "accounts_exported" | "account_disabled" | "account_enabled" | "account_unlocked" | "account_deleted" | "password_accepted" | "password_refused" | "code_accepted" | "code_rejected" | "code_sent" | "second_factor_failing" | "attempts_paused" | "factor_pending" | "factor_enrolled" | "factor_replaced" | "factor_removed" | "factors_reset" | "recovery_codes_renewed" | "recovery_code_used" | "recovery_codes_low" | "session_started" | "session_ended" | "other_sessions_ended" | "all_sessions_ended" | "token_refreshed" | "refresh_token_reused" | "password_changed" | "password_reset_requested" | "password_reset" | "email_change_requested" | "email_changed" | "signing_key_made" | "secrets_resealed";
      /** @enum {unknown} */
      outcome: "success" | "failure";
      /**
       * @description Whoever called the API, or the people who run the service
       * @enum {unknown}
       */
      actor: "client" | "operator";
      /** @description The factor it is about */
      method: string | null;
      /** @description The session it is about */
      session_id: string | null;
      /** @description Empty when it was an operator */
      ip: string;
      /** @description Empty when it was an operator */
      user_agent: string;
      request_id: string;
    };
    /** @description The password was right, a second factor is owed */
    MfaStep: {
      /** @enum {boolean} */
      mfa_required: true;
      /** @description Opens /2fa/setup, /2fa/email and /2fa/verify, and nothing else */
      mfa_token: string;
      /** @enum {string} */
      token_type: "Bearer";
      /** @description Life of the mfa token */
      expires_in: number;
      /** @description Whether the account has a second factor */
      enrolled: boolean;
      /** @description What /2fa/verify takes now; when `enrolled` is false, what can be enrolled */
      methods: ("totp" | "email" | "recovery_code")[];
    };
    /** @description The password was right, and nothing more is asked for */
    PasswordOnly: {
      /** @enum {boolean} */
      mfa_required: false;
      /** @description A JWT of type `at+jwt` (RFC 9068) */
      access_token: string;
      /** @enum {string} */
      token_type: "Bearer";
      /** @description Life of the access token */
      expires_in: number;
      /** @description Opaque; for /token/refresh */
      refresh_token: string;
      /** @description Life of the refresh token, if it is not used */
      refresh_expires_in: number;
    };
    /** @description Tokens of a session */
    TokenResponse: {
      /** @description A JWT of type `at+jwt` (RFC 9068) */
      access_token: string;
      /** @enum {string} */
      token_type: "Bearer";
      /** @description Life of the access token */
      expires_in: number;
      /** @description Opaque; for /token/refresh */
      refresh_token: string;
      /** @description Life of the refresh token, if it is not used */
      refresh_expires_in: number;
    };
    /** @description An access token of the same session; its refresh token stays as it is */
    AccessTokenResponse: {
      /** @description A JWT of type `at+jwt` (RFC 9068) */
      access_token: string;
      /** @enum {string} */
      token_type: "Bearer";
      /** @description Life of the access token */
      expires_in: number;
    };
    /** @description One login */
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
      /** @description Where it was used last */
      ip: string;
      user_agent: string;
      /** @description Methods used (RFC 8176) */
      amr: string[];
      /** @description Whether it is the session of this access token */
      current: boolean;
    };
    /** @description The claims of a live access token, or `active: false` and nothing else */
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
      /** @description Methods used (RFC 8176) */
      amr?: string[];
      /** @enum {unknown} */
      acr?: "aal1" | "aal2";
      auth_time?: number;
    };
    /** @description A pending authenticator */
    Enrolment: {
      /** @description Base32, 160 bits, for typing in by hand */
      secret: string;
      /** @description The key URI that authenticator apps read */
      otpauth_uri: string;
      /** @description The key URI as a QR code: a data URL of a PNG */
      qr_png: string;
      /** @description Until the secret is void, unless a code confirms it */
      expires_in: number;
    };
    /** @description The code was right */
    VerifyResponse: {
      /** @description A JWT of type `at+jwt` (RFC 9068) */
      access_token: string;
      /** @enum {string} */
      token_type: "Bearer";
      /** @description Life of the access token */
      expires_in: number;
      /** @description Opaque; for /token/refresh */
      refresh_token: string;
      /** @description Life of the refresh token, if it is not used */
      refresh_expires_in: number;
      /** @description After the first confirmation, this once: ten codes for the day the phone is lost */
      recovery_codes?: string[];
    };
  };
  responses: never;
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}

export type $defs = Record<string, never>;

export type external = Record<string, never>;

export interface operations {

  /** Name and links */
  getService: {
    responses: {
      /** @description The service and where to go from here */
      200: {
        content: {
          "application/json": {
            name: string;
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
      /** @description `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /** Whether the process runs */
  getLiveness: {
    responses: {
      /** @description It does */
      200: {
        content: {
          "application/json": {
            /** @enum {string} */
            status: "ok";
          };
        };
      };
      /** @description `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /** Whether requests should be sent here */
  getReadiness: {
    responses: {
      /** @description They should: the database answers, and the process is not about to end */
      200: {
        content: {
          "application/json": {
            /** @enum {string} */
            status: "ok";
            checks: {
              /** @enum {string} */
              database: "ok";
              /** @description Where `REDIS_URL` is set. While it is away, each process keeps to its share of the limits */
              redis?: "ok" | "unavailable";
            };
            /** @description What an operator should look at, although the service works */
            warnings?: string[];
          };
        };
      };
      /** @description `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /** The keys to check access tokens with (RFC 7517) */
  getJwks: {
    responses: {
      /** @description The public keys of access tokens: today’s, the next one and those still in use */
      200: {
        content: {
          "application/json": {
            keys: {
                kty: string;
                crv: string;
                x: string;
                y?: string;
                kid: string;
                alg: string;
                use: string;
              }[];
          };
        };
      };
      /** @description `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /** The issuer and its endpoints (RFC 8414) */
  getServerMetadata: {
    responses: {
      /** @description Where a service that trusts these tokens finds what it needs */
      200: {
        content: {
          "application/json": {
            issuer: string;
            jwks_uri: string;
            token_endpoint: string;
            introspection_endpoint: string;
            introspection_endpoint_auth_methods_supported: string[];
            grant_types_supported: string[];
            response_types_supported: string[];
            token_endpoint_auth_methods_supported: string[];
            service_documentation?: string;
          };
        };
      };
      /** @description `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /** Make an account */
  register: {
    requestBody: {
      content: {
        /**
         * @example {
         *   "username": "ada",
         *   "password": "correct horse battery",
         *   "email": "ada@example.com"
         * }
         */
        "application/json": {
          /** @description Unique without regard to case */
          username: string;
          /** @description Any characters, counted in code points; not a common password */
          password: string;
          email?: string;
        };
      };
    };
    responses: {
      /** @description The account was made; its second factor is to be set up next */
      201: {
        content: {
          "application/json": {
            user: components["schemas"]["User"];
            /** @enum {boolean} */
            mfa_required: true;
            /** @description Opens /2fa/setup, /2fa/email and /2fa/verify, and nothing else */
            mfa_token: string;
            /** @enum {string} */
            token_type: "Bearer";
            /** @description Life of the mfa token */
            expires_in: number;
            /** @description Whether the account has a second factor */
            enrolled: boolean;
            /** @description What /2fa/verify takes now; when `enrolled` is false, what can be enrolled */
            methods: ("totp" | "email" | "recovery_code")[];
          };
        };
      };
      /** @description `validation_failed`: The request does not have the expected form · `malformed_json`: The body is not JSON */
      400: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `registration_closed`: Registration is closed */
      403: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `username_taken`: The username is taken */
      409: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `payload_too_large`: The body is too large */
      413: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unsupported_media_type`: The media type is not supported */
      415: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `password_rejected`: The password is too easy to guess */
      422: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `overloaded`: Too much work at the moment · `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /** Show a password, get an mfa token */
  login: {
    requestBody: {
      content: {
        /**
         * @example {
         *   "username": "ada",
         *   "password": "correct horse battery"
         * }
         */
        "application/json": {
          username: string;
          password: string;
        };
      };
    };
    responses: {
      /** @description The password was right */
      200: {
        content: {
          "application/json": components["schemas"]["MfaStep"] | components["schemas"]["PasswordOnly"];
        };
      };
      /** @description `validation_failed`: The request does not have the expected form · `malformed_json`: The body is not JSON */
      400: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `invalid_credentials`: Wrong username or password */
      401: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `payload_too_large`: The body is too large */
      413: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unsupported_media_type`: The media type is not supported */
      415: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `too_many_attempts`: Too many failed attempts · `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `overloaded`: Too much work at the moment · `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /**
   * Swap a refresh token for the next one and an access token
   * @description A refresh token is good once. The same call again within ten seconds, after a lost answer or from another tab, gets the same next token; any later use of an old one ends the session.
   */
  refresh: {
    requestBody: {
      content: {
        /**
         * @example {
         *   "refresh_token": "q1mKf3v0Zp7wY2s9TnXc5bLd8hJr4gAe6uQoViMzWxE"
         * }
         */
        "application/json": {
          refresh_token: string;
        };
      };
    };
    responses: {
      /** @description Tokens of a session */
      200: {
        content: {
          "application/json": components["schemas"]["TokenResponse"];
        };
      };
      /** @description `validation_failed`: The request does not have the expected form · `malformed_json`: The body is not JSON */
      400: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `invalid_refresh_token`: The refresh token is not valid */
      401: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `payload_too_large`: The body is too large */
      413: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unsupported_media_type`: The media type is not supported */
      415: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /**
   * Ask for a mail that resets the password
   * @description The answer is the same for every username. The mail goes to the address that the account has proven, and to nobody else.
   */
  forgetPassword: {
    requestBody: {
      content: {
        /**
         * @example {
         *   "username": "ada"
         * }
         */
        "application/json": {
          username: string;
        };
      };
    };
    responses: {
      /** @description Taken on */
      202: {
        content: never;
      };
      /** @description `validation_failed`: The request does not have the expected form · `malformed_json`: The body is not JSON */
      400: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `payload_too_large`: The body is too large */
      413: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unsupported_media_type`: The media type is not supported */
      415: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /**
   * Set a new password with the token from the mail
   * @description Ends every session. The second factor stays as it is; where it is a code to the same mailbox, a recovery code is needed here.
   */
  resetPassword: {
    requestBody: {
      content: {
        /**
         * @example {
         *   "token": "q1mKf3v0Zp7wY2s9TnXc5bLd8hJr4gAe6uQoViMzWxE",
         *   "new_password": "staple in a haystack"
         * }
         */
        "application/json": {
          /** @description From the mail */
          token: string;
          /** @description Any characters, counted in code points; not a common password */
          new_password: string;
          /** @description Needed where mail is the only second factor */
          recovery_code?: string;
        };
      };
    };
    responses: {
      /** @description Done */
      204: {
        content: never;
      };
      /** @description `validation_failed`: The request does not have the expected form · `malformed_json`: The body is not JSON */
      400: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `invalid_token`: The token is missing or not valid here */
      401: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `payload_too_large`: The body is too large */
      413: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unsupported_media_type`: The media type is not supported */
      415: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `password_rejected`: The password is too easy to guess · `recovery_code_required`: A recovery code is required · `invalid_code`: The code is not valid */
      422: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `too_many_attempts`: Too many failed attempts · `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `overloaded`: Too much work at the moment · `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /**
   * Set up an authenticator
   * @description Makes a new pending secret and voids the one before it. By `Accept`, the answer is JSON, the QR code as a picture, or the QR code drawn for a terminal.
   */
  setUpTotp: {
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
      /** @description `validation_failed`: The request does not have the expected form · `malformed_json`: The body is not JSON */
      400: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `invalid_token`: The token is missing or not valid here · `insufficient_user_authentication`: A fresh second factor is needed */
      401: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `not_acceptable`: None of the accepted media types can be produced */
      406: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `already_enrolled`: A second factor is already active */
      409: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `payload_too_large`: The body is too large */
      413: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unsupported_media_type`: The media type is not supported */
      415: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /** Swap the mfa token and a code for an access token */
  verify: {
    requestBody: {
      content: {
        "application/json": {
          /** @description Blanks and dashes do not matter */
          code: string;
          /**
           * @description What the code is of; `totp` when it is left out
           * @enum {unknown}
           */
          method?: "totp" | "email" | "recovery_code";
        };
      };
    };
    responses: {
      /** @description The code was right */
      200: {
        content: {
          "application/json": components["schemas"]["VerifyResponse"];
        };
      };
      /** @description `validation_failed`: The request does not have the expected form · `malformed_json`: The body is not JSON */
      400: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `invalid_token`: The token is missing or not valid here */
      401: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `not_enrolled`: There is no second factor to confirm or use · `email_unavailable`: Codes by email are not available */
      409: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `payload_too_large`: The body is too large */
      413: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unsupported_media_type`: The media type is not supported */
      415: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `invalid_code`: The code is not valid */
      422: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `too_many_attempts`: Too many failed attempts · `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /**
   * Send a code to the address of the account
   * @description Each mail voids the code before it. A wrong code counts against the same five tries.
   */
  sendEmailCode: {
    responses: {
      /** @description A code is on its way */
      202: {
        content: {
          "application/json": {
            /** @description Masked: enough to know which mailbox to look into */
            sent_to: string;
            /** @description Life of the code */
            expires_in: number;
            /** @description Until the next one may be asked for */
            resend_after: number;
          };
        };
      };
      /** @description `validation_failed`: The request does not have the expected form · `malformed_json`: The body is not JSON */
      400: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `invalid_token`: The token is missing or not valid here */
      401: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `email_unavailable`: Codes by email are not available */
      409: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `payload_too_large`: The body is too large */
      413: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unsupported_media_type`: The media type is not supported */
      415: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `email_delivery_failed`: The mail could not be delivered · `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /** The account of the access token */
  getMe: {
    responses: {
      /** @description An account, as its owner sees it */
      200: {
        content: {
          "application/json": components["schemas"]["User"];
        };
      };
      /** @description `invalid_token`: The token is missing or not valid here */
      401: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /** Delete the account and everything that belongs to it */
  deleteMe: {
    responses: {
      /** @description Done */
      204: {
        content: never;
      };
      /** @description `validation_failed`: The request does not have the expected form · `malformed_json`: The body is not JSON */
      400: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `invalid_token`: The token is missing or not valid here · `insufficient_user_authentication`: A fresh second factor is needed */
      401: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `payload_too_large`: The body is too large */
      413: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unsupported_media_type`: The media type is not supported */
      415: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /** What happened to the account: its own audit trail */
  listEvents: {
    parameters: {
      query?: {
        /** @description `next` of the page before */
        before?: string;
        /** @description Events on a page: 1 to 100, 50 by default */
        limit?: string;
      };
    };
    responses: {
      /** @description A page of the account’s events */
      200: {
        content: {
          "application/json": {
            /** @description The latest first */
            events: components["schemas"]["AuditEvent"][];
            /** @description For `before`, to get the page after this one; null at the end */
            next: string | null;
          };
        };
      };
      /** @description `validation_failed`: The request does not have the expected form */
      400: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `invalid_token`: The token is missing or not valid here */
      401: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /** End the session of this access token */
  logout: {
    responses: {
      /** @description Done */
      204: {
        content: never;
      };
      /** @description `validation_failed`: The request does not have the expected form · `malformed_json`: The body is not JSON */
      400: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `invalid_token`: The token is missing or not valid here */
      401: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `payload_too_large`: The body is too large */
      413: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unsupported_media_type`: The media type is not supported */
      415: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /** Where the account is signed in */
  listSessions: {
    responses: {
      /** @description The live sessions, the one used last first */
      200: {
        content: {
          "application/json": {
            sessions: components["schemas"]["Session"][];
          };
        };
      };
      /** @description `invalid_token`: The token is missing or not valid here */
      401: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /** End all other sessions of the account */
  endOtherSessions: {
    responses: {
      /** @description Done */
      204: {
        content: never;
      };
      /** @description `validation_failed`: The request does not have the expected form · `malformed_json`: The body is not JSON */
      400: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `invalid_token`: The token is missing or not valid here */
      401: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `payload_too_large`: The body is too large */
      413: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unsupported_media_type`: The media type is not supported */
      415: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /** End one session of the account */
  endSession: {
    parameters: {
      path: {
        id: string;
      };
    };
    responses: {
      /** @description Done */
      204: {
        content: never;
      };
      /** @description `validation_failed`: The request does not have the expected form · `malformed_json`: The body is not JSON */
      400: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `invalid_token`: The token is missing or not valid here */
      401: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `not_found`: There is nothing here */
      404: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `payload_too_large`: The body is too large */
      413: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unsupported_media_type`: The media type is not supported */
      415: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /**
   * Whether an access token is live (RFC 7662)
   * @description For services that must notice at once when a session ends. The answer for an unknown, expired, ended or foreign token is `{"active": false}`.
   */
  introspect: {
    requestBody: {
      content: {
        /**
         * @example {
         *   "token": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9…"
         * }
         */
        "application/json": {
          token: string;
          /** @description Not needed, and not looked at */
          token_type_hint?: string;
        };
        /**
         * @example {
         *   "token": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9…"
         * }
         */
        "application/x-www-form-urlencoded": {
          token: string;
          /** @description Not needed, and not looked at */
          token_type_hint?: string;
        };
      };
    };
    responses: {
      /** @description The claims of a live access token, or `active: false` and nothing else */
      200: {
        content: {
          "application/json": components["schemas"]["Introspection"];
        };
      };
      /** @description `validation_failed`: The request does not have the expected form · `malformed_json`: The body is not JSON · `bad_request`: The request is not well-formed HTTP */
      400: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `invalid_token`: The token is missing or not valid here */
      401: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `payload_too_large`: The body is too large */
      413: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unsupported_media_type`: The media type is not supported */
      415: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /** The second factors of the account */
  getFactors: {
    responses: {
      /** @description What the account can prove itself with, beside its password */
      200: {
        content: {
          "application/json": {
            totp: {
              active: boolean;
              confirmed_at: string | null;
            };
            email: {
              active: boolean;
            };
            recovery_codes: {
              remaining: number;
              generated_at: string | null;
            };
          };
        };
      };
      /** @description `invalid_token`: The token is missing or not valid here */
      401: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /** Remove the second factor, where the service does not require one */
  removeFactors: {
    responses: {
      /** @description Done */
      204: {
        content: never;
      };
      /** @description `validation_failed`: The request does not have the expected form · `malformed_json`: The body is not JSON */
      400: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `invalid_token`: The token is missing or not valid here · `insufficient_user_authentication`: A fresh second factor is needed */
      401: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `two_factor_required`: The second factor is required */
      403: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `payload_too_large`: The body is too large */
      413: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unsupported_media_type`: The media type is not supported */
      415: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /**
   * Prove the second factor anew, get a fresh access token
   * @description What changes a factor or a credential asks for a token whose `auth_time` is at most 300 s ago (RFC 9470).
   */
  stepUp: {
    requestBody: {
      content: {
        "application/json": {
          /** @description Blanks and dashes do not matter */
          code: string;
          /**
           * @description What the code is of; `totp` when it is left out
           * @enum {unknown}
           */
          method?: "totp" | "email" | "recovery_code";
        };
      };
    };
    responses: {
      /** @description An access token of the same session; its refresh token stays as it is */
      200: {
        content: {
          "application/json": components["schemas"]["AccessTokenResponse"];
        };
      };
      /** @description `validation_failed`: The request does not have the expected form · `malformed_json`: The body is not JSON */
      400: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `invalid_token`: The token is missing or not valid here */
      401: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `not_enrolled`: There is no second factor to confirm or use · `email_unavailable`: Codes by email are not available */
      409: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `payload_too_large`: The body is too large */
      413: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unsupported_media_type`: The media type is not supported */
      415: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `invalid_code`: The code is not valid */
      422: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `too_many_attempts`: Too many failed attempts · `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /** Prove the new address with the code that was sent to it */
  verifyEmail: {
    requestBody: {
      content: {
        /**
         * @example {
         *   "code": "492039"
         * }
         */
        "application/json": {
          code: string;
        };
      };
    };
    responses: {
      /** @description An account, as its owner sees it */
      200: {
        content: {
          "application/json": components["schemas"]["User"];
        };
      };
      /** @description `validation_failed`: The request does not have the expected form · `malformed_json`: The body is not JSON */
      400: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `invalid_token`: The token is missing or not valid here */
      401: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `payload_too_large`: The body is too large */
      413: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unsupported_media_type`: The media type is not supported */
      415: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `invalid_code`: The code is not valid */
      422: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `too_many_attempts`: Too many failed attempts · `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /**
   * Confirm the authenticator that was set up with an access token
   * @description The new authenticator takes the place of the old one at this moment. The answer has new tokens for the same session.
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
          /** @description A code of the pending authenticator */
          code: string;
        };
      };
    };
    responses: {
      /** @description The code was right */
      200: {
        content: {
          "application/json": components["schemas"]["VerifyResponse"];
        };
      };
      /** @description `validation_failed`: The request does not have the expected form · `malformed_json`: The body is not JSON */
      400: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `invalid_token`: The token is missing or not valid here · `insufficient_user_authentication`: A fresh second factor is needed */
      401: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `not_enrolled`: There is no second factor to confirm or use */
      409: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `payload_too_large`: The body is too large */
      413: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unsupported_media_type`: The media type is not supported */
      415: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `invalid_code`: The code is not valid */
      422: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /** Make ten new recovery codes; the old ones are void */
  renewRecoveryCodes: {
    responses: {
      /** @description Shown this once */
      200: {
        content: {
          "application/json": {
            recovery_codes: string[];
          };
        };
      };
      /** @description `validation_failed`: The request does not have the expected form · `malformed_json`: The body is not JSON */
      400: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `invalid_token`: The token is missing or not valid here · `insufficient_user_authentication`: A fresh second factor is needed */
      401: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `not_enrolled`: There is no second factor to confirm or use */
      409: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `payload_too_large`: The body is too large */
      413: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unsupported_media_type`: The media type is not supported */
      415: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /**
   * Set a new password
   * @description Every other session ends.
   */
  changePassword: {
    requestBody: {
      content: {
        /**
         * @example {
         *   "current_password": "correct horse battery",
         *   "new_password": "staple in a haystack"
         * }
         */
        "application/json": {
          current_password: string;
          /** @description Any characters, counted in code points; not a common password */
          new_password: string;
        };
      };
    };
    responses: {
      /** @description Done */
      204: {
        content: never;
      };
      /** @description `validation_failed`: The request does not have the expected form · `malformed_json`: The body is not JSON */
      400: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `invalid_token`: The token is missing or not valid here · `insufficient_user_authentication`: A fresh second factor is needed · `invalid_credentials`: Wrong username or password */
      401: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `payload_too_large`: The body is too large */
      413: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unsupported_media_type`: The media type is not supported */
      415: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `password_rejected`: The password is too easy to guess */
      422: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `too_many_attempts`: Too many failed attempts · `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `overloaded`: Too much work at the moment · `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
  /**
   * Set or change the address, or prove the present one
   * @description A code goes to the new address, which counts when the code has come back.
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
          email: string;
        };
      };
    };
    responses: {
      /** @description Taken on */
      202: {
        content: never;
      };
      /** @description `validation_failed`: The request does not have the expected form · `malformed_json`: The body is not JSON */
      400: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `invalid_token`: The token is missing or not valid here · `insufficient_user_authentication`: A fresh second factor is needed */
      401: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `email_unavailable`: Codes by email are not available */
      409: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `payload_too_large`: The body is too large */
      413: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `unsupported_media_type`: The media type is not supported */
      415: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `rate_limited`: Too many requests */
      429: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `internal_error`: Something went wrong on our side */
      500: {
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description `email_delivery_failed`: The mail could not be delivered · `unavailable`: The service is not available at the moment */
      503: {
        headers: {
          /** @description Seconds until a new try makes sense */
          "Retry-After"?: number;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
    };
  };
}
