// Original file: proto/federation.proto


export interface Enterprise {
  'enterprise'?: (string);
  'organisation'?: (string);
  'standing'?: (string);
  'serials'?: (string)[];
}

export interface Enterprise__Output {
  'enterprise': (string);
  'organisation': (string);
  'standing': (string);
  'serials': (string)[];
}
