/** Einsum in plain f64 loops over all labels; matrix products are einsums too. */

export interface Labelled {
  values: ArrayLike<number>;
  shape: number[];
}

/** The sums, and the sums of magnitudes that errors are measured by. */
export function einsumReference(
  equation: string,
  ...operands: Labelled[]
): { sums: number[]; magnitudes: number[] } {
  const [left, output] = equation.split("->"), terms = left.split(",");
  const sizes = new Map<string, number>();
  terms.forEach((term, i) => [...term].forEach((label, d) => sizes.set(label, operands[i].shape[d])));
  const labels = [...output, ...[...sizes.keys()].filter((label) => !output.includes(label))];
  const offsets = (term: string) => {
    const strides = new Map<string, number>();
    [...term].reduceRight((stride, label) => (strides.set(label, stride), stride * sizes.get(label)!), 1);
    return labels.map((label) => strides.get(label) ?? 0);
  };
  const steps = terms.map(offsets), outSteps = offsets(output), index = labels.map(() => 0);
  const size = [...output].reduce((all, label) => all * sizes.get(label)!, 1);
  const sums = new Array<number>(size).fill(0), magnitudes = new Array<number>(size).fill(0);
  const at = (strides: number[]) => strides.reduce((sum, stride, d) => sum + stride * index[d], 0);
  let remaining = [...sizes.values()].reduce((a, b) => a * b, 1);
  while (remaining-- > 0) {
    const product = steps.reduce((all, strides, i) => all * operands[i].values[at(strides)], 1);
    sums[at(outSteps)] += product;
    magnitudes[at(outSteps)] += Math.abs(product);
    for (let d = labels.length - 1; d >= 0 && ++index[d] === sizes.get(labels[d]); d--) index[d] = 0;
  }
  return { sums, magnitudes };
}
