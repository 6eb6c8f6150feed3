// Original file: proto/federation.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { BlobRequest as _fedcredit_v1_BlobRequest, BlobRequest__Output as _fedcredit_v1_BlobRequest__Output } from '../../fedcredit/v1/BlobRequest.ts';
import type { BlobStatus as _fedcredit_v1_BlobStatus, BlobStatus__Output as _fedcredit_v1_BlobStatus__Output } from '../../fedcredit/v1/BlobStatus.ts';
import type { FetchRequest as _fedcredit_v1_FetchRequest, FetchRequest__Output as _fedcredit_v1_FetchRequest__Output } from '../../fedcredit/v1/FetchRequest.ts';
import type { FetchedChunk as _fedcredit_v1_FetchedChunk, FetchedChunk__Output as _fedcredit_v1_FetchedChunk__Output } from '../../fedcredit/v1/FetchedChunk.ts';
import type { UploadChunk as _fedcredit_v1_UploadChunk, UploadChunk__Output as _fedcredit_v1_UploadChunk__Output } from '../../fedcredit/v1/UploadChunk.ts';

export interface BlobsClient extends grpc.Client {
  Fetch(argument: _fedcredit_v1_FetchRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_fedcredit_v1_FetchedChunk__Output>;
  Fetch(argument: _fedcredit_v1_FetchRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_fedcredit_v1_FetchedChunk__Output>;
  fetch(argument: _fedcredit_v1_FetchRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_fedcredit_v1_FetchedChunk__Output>;
  fetch(argument: _fedcredit_v1_FetchRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_fedcredit_v1_FetchedChunk__Output>;
  
  Stat(argument: _fedcredit_v1_BlobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_BlobStatus__Output>): grpc.ClientUnaryCall;
  Stat(argument: _fedcredit_v1_BlobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_BlobStatus__Output>): grpc.ClientUnaryCall;
  Stat(argument: _fedcredit_v1_BlobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_BlobStatus__Output>): grpc.ClientUnaryCall;
  Stat(argument: _fedcredit_v1_BlobRequest, callback: grpc.requestCallback<_fedcredit_v1_BlobStatus__Output>): grpc.ClientUnaryCall;
  stat(argument: _fedcredit_v1_BlobRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_BlobStatus__Output>): grpc.ClientUnaryCall;
  stat(argument: _fedcredit_v1_BlobRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_BlobStatus__Output>): grpc.ClientUnaryCall;
  stat(argument: _fedcredit_v1_BlobRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_BlobStatus__Output>): grpc.ClientUnaryCall;
  stat(argument: _fedcredit_v1_BlobRequest, callback: grpc.requestCallback<_fedcredit_v1_BlobStatus__Output>): grpc.ClientUnaryCall;
  
  Upload(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_BlobStatus__Output>): grpc.ClientWritableStream<_fedcredit_v1_UploadChunk>;
  Upload(metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_BlobStatus__Output>): grpc.ClientWritableStream<_fedcredit_v1_UploadChunk>;
  Upload(options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_BlobStatus__Output>): grpc.ClientWritableStream<_fedcredit_v1_UploadChunk>;
  Upload(callback: grpc.requestCallback<_fedcredit_v1_BlobStatus__Output>): grpc.ClientWritableStream<_fedcredit_v1_UploadChunk>;
  upload(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_BlobStatus__Output>): grpc.ClientWritableStream<_fedcredit_v1_UploadChunk>;
  upload(metadata: grpc.Metadata, callback: grpc.requestCallback<_fedcredit_v1_BlobStatus__Output>): grpc.ClientWritableStream<_fedcredit_v1_UploadChunk>;
  upload(options: grpc.CallOptions, callback: grpc.requestCallback<_fedcredit_v1_BlobStatus__Output>): grpc.ClientWritableStream<_fedcredit_v1_UploadChunk>;
  upload(callback: grpc.requestCallback<_fedcredit_v1_BlobStatus__Output>): grpc.ClientWritableStream<_fedcredit_v1_UploadChunk>;
  
}

export interface BlobsHandlers extends grpc.UntypedServiceImplementation {
  Fetch: grpc.handleServerStreamingCall<_fedcredit_v1_FetchRequest__Output, _fedcredit_v1_FetchedChunk>;
  
  Stat: grpc.handleUnaryCall<_fedcredit_v1_BlobRequest__Output, _fedcredit_v1_BlobStatus>;
  
  Upload: grpc.handleClientStreamingCall<_fedcredit_v1_UploadChunk__Output, _fedcredit_v1_BlobStatus>;
  
}

export interface BlobsDefinition extends grpc.ServiceDefinition {
  Fetch: MethodDefinition<_fedcredit_v1_FetchRequest, _fedcredit_v1_FetchedChunk, _fedcredit_v1_FetchRequest__Output, _fedcredit_v1_FetchedChunk__Output>
  Stat: MethodDefinition<_fedcredit_v1_BlobRequest, _fedcredit_v1_BlobStatus, _fedcredit_v1_BlobRequest__Output, _fedcredit_v1_BlobStatus__Output>
  Upload: MethodDefinition<_fedcredit_v1_UploadChunk, _fedcredit_v1_BlobStatus, _fedcredit_v1_UploadChunk__Output, _fedcredit_v1_BlobStatus__Output>
}
