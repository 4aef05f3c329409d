/** Growing delays: each twice the one before, give or take the jitter, up to max. */
export class Backoff {
  /** How many delays were handed out since the last reset. */
  attempts = 0;

  constructor(
    /** The first delay, in milliseconds. */
    public min: number,
    /** The longest delay, in milliseconds. */
    public max: number,
    /** The share of a delay, 0 to 1, by which it may be longer or shorter. */
    public jitter: number,
  ) {}

  next(): number {
    const delay = this.min * 2 ** Math.min(this.attempts++, 30);
    return Math.min(Math.floor(delay * (1 + this.jitter * (2 * Math.random() - 1))), this.max);
  }

  reset(): void {
    this.attempts = 0;
  }
}
