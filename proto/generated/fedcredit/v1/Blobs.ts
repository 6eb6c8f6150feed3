// Original file: proto/federation.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { BlobRequest as _fedcredit_v1_BlobRequest, BlobRequest__Output as _fedcredit_v1_BlobRequest__Output } from '../../fedcredit/v1/BlobRequest.ts';
import type { BlobStatus as _fedcredit_v1_BlobStatus, BlobStatus__Output as _fedcredit_v1_BlobStatus__Output } from '../../fedcredit/v1/BlobStatus.ts';
import type { Chunk as _fedcredit_v1_Chunk, Chunk__Output as _fedcredit_v1_Chunk__Output } from '../../fedcredit/v1/Chunk.ts';
import type { DownloadRequest as _fedcredit_v1_DownloadRequest, DownloadRequest__Output as _fedcredit_v1_DownloadRequest__Output } from '../../fedcredit/v1/DownloadRequest.ts';
import type { UploadChunk as _fedcredit_v1_UploadChunk, UploadChunk__Output as _fedcredit_v1_UploadChunk__Output } from '../../fedcredit/v1/UploadChunk.ts';

export interface BlobsClient extends grpc.Client {
  Download(argument: _fedcredit_v1_DownloadRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_fedcredit_v1_Chunk__Output>;
  Download(argument: _fedcredit_v1_DownloadRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_fedcredit_v1_Chunk__Output>;
  download(argument: _fedcredit_v1_DownloadRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_fedcredit_v1_Chunk__Output>;
  download(argument: _fedcredit_v1_DownloadRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_fedcredit_v1_Chunk__Output>;
  
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
  Download: grpc.handleServerStreamingCall<_fedcredit_v1_DownloadRequest__Output, _fedcredit_v1_Chunk>;
  
  Stat: grpc.handleUnaryCall<_fedcredit_v1_BlobRequest__Output, _fedcredit_v1_BlobStatus>;
  
  Upload: grpc.handleClientStreamingCall<_fedcredit_v1_UploadChunk__Output, _fedcredit_v1_BlobStatus>;
  
}

export interface BlobsDefinition extends grpc.ServiceDefinition {
  Download: MethodDefinition<_fedcredit_v1_DownloadRequest, _fedcredit_v1_Chunk, _fedcredit_v1_DownloadRequest__Output, _fedcredit_v1_Chunk__Output>
  Stat: MethodDefinition<_fedcredit_v1_BlobRequest, _fedcredit_v1_BlobStatus, _fedcredit_v1_BlobRequest__Output, _fedcredit_v1_BlobStatus__Output>
  Upload: MethodDefinition<_fedcredit_v1_UploadChunk, _fedcredit_v1_BlobStatus, _fedcredit_v1_UploadChunk__Output, _fedcredit_v1_BlobStatus__Output>
}
