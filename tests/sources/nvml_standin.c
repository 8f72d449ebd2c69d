/* NVML's functions that the gpu source calls, with known figures: GPU 0 has everything, GPU 1 no power and no memory v2.
   The file named by NVML_STANDIN says how many GPUs there are, or "lost". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OK = 0, UNINITIALIZED = 1, INVALID = 2, NOT_SUPPORTED = 3, DRIVER_NOT_LOADED = 9, LOST = 15 };
typedef struct { unsigned gpu, memory; } Usage;
typedef struct { unsigned long long total, free, used; } Memory;
typedef struct { unsigned version; unsigned long long total, reserved, free, used; } Memory2;

static char first, second;

static int state(char *text, size_t size) {
    FILE *file = fopen(getenv("NVML_STANDIN"), "r");
    if (!file) return DRIVER_NOT_LOADED;
    if (!fgets(text, (int)size, file)) text[0] = 0;
    fclose(file);
    return OK;
}

static int alive(void) {
    char text[16];
    if (state(text, sizeof text)) return DRIVER_NOT_LOADED;
    return strncmp(text, "lost", 4) ? OK : LOST;
}

int nvmlInitWithFlags(unsigned flags) { (void)flags; char text[16]; return state(text, sizeof text); }
int nvmlShutdown(void) { return OK; }
const char *nvmlErrorString(int code) { return code == LOST ? "GPU is lost" : "stand-in error"; }

int nvmlDeviceGetCount_v2(unsigned *count) {
    char text[16];
    if (state(text, sizeof text)) return DRIVER_NOT_LOADED;
    *count = (unsigned)atoi(text);
    return OK;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) {
    *handle = index ? &second : &first;
    return index < 2 ? OK : INVALID;
}

int nvmlDeviceGetUUID(void *handle, char *out, unsigned size) {
    snprintf(out, size, "GPU-%s", handle == &first ? "aaaa" : "bbbb");
    return OK;
}

int nvmlDeviceGetName(void *handle, char *out, unsigned size) {
    snprintf(out, size, "%s", handle == &first ? "Stand-in A" : "Stand-in B");
    return OK;
}

int nvmlDeviceGetUtilizationRates(void *handle, Usage *out) {
    if (alive()) return LOST;
    out->gpu = handle == &first ? 87 : 3;
    out->memory = handle == &first ? 41 : 1;
    return OK;
}

int nvmlDeviceGetMemoryInfo(void *handle, Memory *out) {
    (void)handle;
    out->total = 16384ULL << 20;
    out->used = 4096ULL << 20;
    out->free = 12288ULL << 20;
    return alive();
}

int nvmlDeviceGetMemoryInfo_v2(void *handle, Memory2 *out) {
    if (handle != &first) return NOT_SUPPORTED;
    out->total = 81920ULL << 20;
    out->reserved = 512ULL << 20;
    out->used = 61440ULL << 20;
    out->free = 19968ULL << 20;
    return alive();
}

int nvmlDeviceGetTemperature(void *handle, int sensor, unsigned *out) {
    *out = handle == &first ? 71 : 35;
    return sensor == 0 ? alive() : INVALID;
}

int nvmlDeviceGetPowerUsage(void *handle, unsigned *milliwatts) {
    *milliwatts = 412500;
    return handle == &first ? alive() : NOT_SUPPORTED;
}

int nvmlDeviceGetEnforcedPowerLimit(void *handle, unsigned *milliwatts) {
    *milliwatts = 700000;
    return handle == &first ? alive() : NOT_SUPPORTED;
}

int nvmlDeviceGetTotalEnergyConsumption(void *handle, unsigned long long *millijoules) {
    *millijoules = 123456789ULL;
    return handle == &first ? alive() : NOT_SUPPORTED;
}

int nvmlDeviceGetClockInfo(void *handle, int kind, unsigned *megahertz) {
    (void)handle;
    *megahertz = kind == 1 ? 1980 : 2619;
    return alive();
}
