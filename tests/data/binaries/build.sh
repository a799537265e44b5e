#!/bin/sh
# Builds the fixtures of this folder. Usage: build.sh OUT, with nvcc of the package
# nvidia-cuda-nvcc (13.5) and g++ on PATH. Without timestamps in cubins and with a fixed seed, the
# same packages give the same bytes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$1
mkdir -p "$out"
out=$(cd "$out" && pwd)

# Line tables name the source's folder: one that is the same on every machine.
source=/tmp/axpy-fixture
mkdir -p "$source"
cp "$here/kernel.cu" "$source"
cd "$source"

fatbin() {
  name=$1
  shift
  nvcc -fatbin --frandom-seed=1 "$@" kernel.cu -o "$out/$name.fatbin"
}

real() { echo "-gencode arch=compute_$1,code=sm_$1"; }

# shellcheck disable=SC2046
{
  fatbin multi $(real 75) $(real 90a) $(real 100f) -gencode arch=compute_100f,code=compute_100f
  fatbin zstd $(real 80) $(real 120a) -gencode arch=compute_80,code=compute_80 \
    -Xfatbin -compress-all
  fatbin lz4 $(real 80) $(real 100) -gencode arch=compute_100,code=compute_100 \
    -Xfatbin -compress-all --compress-mode=speed
  fatbin plain $(real 86) -gencode arch=compute_86,code=compute_86 --compress-mode=none
  fatbin concat $(real 80) $(real 90) $(real 100) $(real 120) \
    -gencode arch=compute_120,code=compute_120 -concat
  fatbin stub -DGUARD $(real 80) -gencode arch=compute_80,code=compute_80
  fatbin lineinfo -lineinfo $(real 89)
  fatbin lto -dc -gencode arch=compute_80,code=lto_80 $(real 90)
}

nvcc -cubin -arch=sm_90a kernel.cu -o "$out/sm90a.cubin"
nvcc -cubin -arch=sm_100f kernel.cu -o "$out/sm100f.cubin"
nvcc -ptx -arch=compute_90 kernel.cu -o "$out/compute90.ptx"

# Shared objects without the CUDA runtime: the registration calls stay undefined, and nobody loads
# these files.
shared() {
  name=$1
  shift
  nvcc -c --frandom-seed=1 -Xcompiler -fPIC,-O2,-g0 "$@" kernel.cu -o "$out/$name.o"
  g++ -shared -s -Wl,--build-id=none "$out/$name.o" -o "$out/$name.so"
  rm "$out/$name.o"
}
shared libaxpy -gencode arch=compute_75,code=sm_75 -gencode arch=compute_90,code=sm_90 \
  -gencode arch=compute_90,code=compute_90
shared librelocatable -rdc=true -gencode arch=compute_80,code=sm_80 \
  -gencode arch=compute_80,code=compute_80

# An archive: its members begin at even offsets only, and so do the containers inside.
printf 'pad' > "$out/pad.bin"
nvcc -c --frandom-seed=1 -gencode arch=compute_75,code=sm_75 kernel.cu -o "$out/kernel.o"
(cd "$out" && ar rcD libaxpy.a pad.bin kernel.o)
rm "$out/pad.bin" "$out/kernel.o"
