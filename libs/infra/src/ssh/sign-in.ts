// ssh2 is CommonJS: of its names, Node finds only the first ones.
import ssh2, { type AnyAuthMethod, type AuthenticationType, type ParsedKey } from 'ssh2';

/** A private key is in PEM or OpenSSH's format. */
export type SignInSecret = { password: string } | { privateKey: string; passphrase?: string };

/** This account is not let in with this secret, and will not be the next time. The message says nothing of the secret. */
export class SignInRefused extends Error {
  override readonly name = 'SignInRefused';
}

/**
 * One sign-in with one attempt: a wrong password that is tried in each way in which a host asks for it locks an account
 * twice as soon.
 */
export class SignIn {
  readonly #user: string;
  readonly #what: 'password' | 'key';
  readonly #methods: AnyAuthMethod[];
  #tried = false;
  #refusal = 'the host did not let it in';

  /** @throws SignInRefused where the private key cannot be read */
  constructor(user: string, secret: SignInSecret) {
    this.#user = user;
    if ('password' in secret) {
      this.#what = 'password';
      this.#methods = passwordMethods(user, secret.password);
    } else {
      this.#what = 'key';
      this.#methods = [{ type: 'publickey', username: user, key: parsePrivateKey(secret) }];
    }
  }

  /** Why ssh2 was told to give up, in words. */
  get refusal(): string {
    return this.#refusal;
  }

  /** For ssh2: what to try next, or false to give up. It asks without any secret first, and learns what the host takes. */
  readonly next = (taken: AuthenticationType[] | null, isHalfIn: boolean | null): AnyAuthMethod | false => {
    if (taken === null) return { type: 'none', username: this.#user };
    const others = taken.length === 0 ? 'nothing' : taken.join(', ');
    if (this.#tried) {
      this.#refusal =
        isHalfIn === true
          ? `it takes the ${this.#what} of ${this.#user} and asks for more: ${others}`
          : `it does not take this ${this.#what} for ${this.#user}`;
      return false;
    }
    const method = this.#methods.find(({ type }) => taken.includes(type));
    if (method === undefined) {
      this.#refusal = `it takes no ${this.#what} for ${this.#user}, only ${others}`;
      return false;
    }
    this.#tried = true;
    return method;
  };
}

/** Some sshd take passwords only as the answer to a question. The first hidden one is it; any other gets no answer. */
function passwordMethods(user: string, password: string): AnyAuthMethod[] {
  let isAnswered = false;
  return [
    { type: 'password', username: user, password },
    {
      type: 'keyboard-interactive',
      username: user,
      prompt: (_name, _instructions, _language, prompts, finish) => {
        finish(
          prompts.map(({ echo }) => {
            if (isAnswered || echo === true) return '';
            isAnswered = true;
            return password;
          }),
        );
      },
    },
  ];
}

function parsePrivateKey({ privateKey, passphrase }: { privateKey: string; passphrase?: string }): ParsedKey {
  const key = ssh2.utils.parseKey(privateKey, passphrase);
  if (key instanceof Error) throw new SignInRefused(`the private key cannot be read: ${key.message}`);
  if (!key.isPrivateKey()) throw new SignInRefused('the private key cannot be read: it is a public one');
  return key;
}
