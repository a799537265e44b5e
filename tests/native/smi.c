/* A stand-in for nvidia-smi: loads the NVML of its own forged machine and prints one row a GPU,
 * or the banner, as the program of driver R580 does. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef FOLDER
#error "define FOLDER, the library folder below the root, with slashes around it"
#endif

static void *library;

static int call(const char *name, void *first, void *second, void *third) {
  int (*function)() = (int (*)())dlsym(library, name);
  return function ? ((int (*)(void *, void *, void *))function)(first, second, third) : 13;
}

int main(int count, char **arguments) {
  char path[4096], driver[96] = "", name[96] = "", uuid[96] = "";
  ssize_t length = readlink("/proc/self/exe", path, sizeof path - 256);
  if (length <= 0) return 6;
  path[length] = 0;
  char *root = strstr(path, "/usr/bin/");
  if (!root) return 6;
  strcpy(root, FOLDER "libnvidia-ml.so.1");
  library = dlopen(path, RTLD_NOW);
  if (!library) return 12;
  int code = call("nvmlInit_v2", 0, 0, 0), cuda = 0, gpus = 0, major = 0, minor = 0;
  if (code) return code;
  call("nvmlSystemGetDriverVersion", driver, (void *)80, 0);
  call("nvmlSystemGetCudaDriverVersion_v2", &cuda, 0, 0);
  if (count < 2 || !strcmp(arguments[1], "-q")) {
    printf("| NVIDIA-SMI %s  Driver Version: %s  CUDA Version: %d.%d |\n", driver, driver,
           cuda / 1000, cuda % 1000 / 10);
    return 0;
  }
  call("nvmlDeviceGetCount_v2", &gpus, 0, 0);
  for (long index = 0; index < gpus; index++) {
    void *device = 0;
    if (call("nvmlDeviceGetHandleByIndex_v2", (void *)index, &device, 0)) continue;
    call("nvmlDeviceGetCudaComputeCapability", device, &major, &minor);
    call("nvmlDeviceGetName", device, name, (void *)80);
    call("nvmlDeviceGetUUID", device, uuid, (void *)80);
    printf("%s, %d.%d, 0x233010DE, %s, [N/A], %s\n", driver, major, minor, uuid, name);
  }
  return 0;
}
