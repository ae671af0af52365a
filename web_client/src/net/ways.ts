/**
 * Where a viewer connects next (去处): one edge after the other, the site's own process at last.
 *
 * Invariant: whoever lost a line tries every edge, the lost one last, before it troubles the process
 * that serves participants. The same as `signaling/ways.py`.
 */
export class Ways {
  private last: number;
  private base: number;
  private readonly owner: string;
  private readonly edges: readonly string[];

  /** `first`: which edge to begin with, drawn by the caller so that a crowd spreads. */
  constructor(owner: string, edges: readonly string[], first: number) {
    this.owner = owner;
    this.edges = edges;
    this.last = this.base = edges.length > 0 ? first % edges.length : 0;
  }

  /** `failures`: 0 for the first try, 1 when a line was lost, then one more each time. */
  next(failures: number): string {
    const count = this.edges.length;
    if (failures <= 1) this.base = this.last;
    const turn = (failures - 1) % (count + 1);
    if (count === 0 || (failures > 0 && turn === count)) return this.owner;
    this.last = failures > 0 ? (this.base + 1 + turn) % count : this.base;
    return this.edges[this.last] as string;
  }
}
