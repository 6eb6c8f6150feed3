/** What a hidden unit makes of its weighted input; named as TensorFlow.js and Keras name them. */
export const activations = ["linear", "relu", "elu", "softplus", "tanh", "sigmoid"] as const;
export type Activation = (typeof activations)[number];

interface ActivationFunction {
  value(x: number): number;
  /** The derivative where the value is `y`. */
  slope(y: number): number;
}

export const activationFunctions: Readonly<Record<Activation, ActivationFunction>> = {
  linear: { value: (x) => x, slope: () => 1 },
  relu: { value: (x) => Math.max(x, 0), slope: (y) => (y > 0 ? 1 : 0) },
  elu: { value: (x) => (x > 0 ? x : Math.expm1(x)), slope: (y) => (y > 0 ? 1 : 1 + y) },
  softplus: {
    value: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
    slope: (y) => -Math.expm1(-y),
  },
  tanh: { value: Math.tanh, slope: (y) => 1 - y * y },
  sigmoid: { value: (x) => 1 / (1 + Math.exp(-x)), slope: (y) => y * (1 - y) },
};
