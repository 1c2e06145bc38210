// Confines itself as the inspector does, then does what its argument names. Status 0: it worked; 9: the kernel said no
// in another way than by killing the process.

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <map>
#include <string>

#include "common/image/sandbox.hpp"

namespace {

using imageswarm::ByteCount;
using imageswarm::operator""_MiB;

constexpr ByteCount memory = 256_MiB;

bool map(std::size_t size, int protection, int flags, int fd) {
  return ::mmap(nullptr, size, protection, flags, fd, 0) != MAP_FAILED;
}

bool make_executable() {
  void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return ::mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
}

std::map<std::string, std::function<bool()>> const deeds{
    {"nothing", [] { return true; }},
    {"read",
     [] {
       char text[8];
       return ::pread(0, text, 8, 0) == 8 && std::memcmp(text, "artefact", 8) == 0;
     }},
    {"verdict", [] { return ::write(3, "", 0) == 0; }},
    {"allocate", [] { return map((128_MiB).value, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1); }},
    {"allocate-too-much", [] { return !map(memory.value, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1); }},
    {"write-file", [] { return ::write(1, "x", 1) == 1; }},
    {"open", [] { return ::open("/etc/passwd", O_RDONLY) >= 0; }},
    {"openat2", [] { return ::syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", nullptr, 0) >= 0; }},
    {"read-other",
     [] {
       char c;
       return ::pread(1, &c, 1, 0) >= 0;
     }},
    {"write-artefact", [] { return ::write(0, "x", 1) == 1; }},
    {"write-stderr", [] { return ::write(2, "x", 1) == 1; }},
    {"socket", [] { return ::socket(AF_INET, SOCK_STREAM, 0) >= 0; }},
    {"connect", [] { return ::connect(0, nullptr, 0) == 0; }},
    {"exec", [] { return ::execl("/bin/true", "true", nullptr) == 0; }},
    {"fork", [] { return ::fork() >= 0; }},
    {"thread", [] { return ::syscall(SYS_clone3, nullptr, 0) >= 0; }},
    {"kill", [] { return ::kill(::getppid(), 0) == 0; }},
    {"ptrace", [] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0; }},
    {"unlink", [] { return ::unlink("/nonexistent") == 0; }},
    {"dup", [] { return ::dup(0) >= 0; }},
    {"ioctl",
     [] {
       int n;
       return ::ioctl(1, FIONREAD, &n) == 0;
     }},
    {"map-file", [] { return map(4096, PROT_READ | PROT_WRITE, MAP_SHARED, 0); }},
    {"map-executable", [] { return map(4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1); }},
    {"make-executable", make_executable},
    {"prctl", [] { return ::prctl(PR_SET_DUMPABLE, 1) == 0; }},
    {"setrlimit",
     [] {
       rlimit most{};
       return ::setrlimit(RLIMIT_CORE, &most) == 0;
     }},
    {"io_uring", [] { return ::syscall(SYS_io_uring_setup, 1, nullptr) >= 0; }},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || !deeds.contains(argv[1])) ::_exit(2);
  auto const& deed = deeds.at(argv[1]);
  if (!imageswarm::image::enter_sandbox({memory, std::chrono::seconds{10}})) ::_exit(3);
  ::_exit(deed() ? 0 : 9);
}
