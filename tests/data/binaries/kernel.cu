// The kernel behind every fixture in this folder. GUARD compiles it out for all targets.
#ifndef GUARD
extern "C" __global__ void axpy(float a, const float *x, float *y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] += a * x[i];
}
#endif
