// y += a * x, on the GPU where the compiler is nvcc, else on the CPU. Returns 0, or a CUDA error code.
#ifdef __CUDACC__

__global__ void kernel(int n, float a, const float *x, float *y) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] += a * x[i];
}

extern "C" int saxpy(int n, float a, const float *x, float *y) {
  size_t bytes = n * sizeof(float);
  float *device = nullptr;
  cudaError_t error = cudaMalloc(&device, 2 * bytes);
  if (error != cudaSuccess) return error;
  cudaMemcpy(device, x, bytes, cudaMemcpyHostToDevice);
  cudaMemcpy(device + n, y, bytes, cudaMemcpyHostToDevice);
  kernel<<<(n + 255) / 256, 256>>>(n, a, device, device + n);
  error = cudaGetLastError();
  if (error == cudaSuccess) error = cudaMemcpy(y, device + n, bytes, cudaMemcpyDeviceToHost);
  cudaFree(device);
  return error;
}

extern "C" const char *built_for() { return "CUDA"; }

#else

extern "C" int saxpy(int n, float a, const float *x, float *y) {
  for (int i = 0; i < n; i++) y[i] += a * x[i];
  return 0;
}

extern "C" const char *built_for() { return "CPU"; }

#endif
