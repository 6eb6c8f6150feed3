// Original file: proto/federation.proto


export interface AlgorithmCost {
  'name'?: (string);
  'mostSums'?: (number);
  'bytesUp'?: (number | string);
  'seconds'?: (number | string);
}

export interface AlgorithmCost__Output {
  'name': (string);
  'mostSums': (number);
  'bytesUp': (number);
  'seconds': (number);
}
