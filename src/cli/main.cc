// The strife executable.
#include "cli/command.h"

int main(int argc, char** argv) { return strife::cli::Run(argc, argv); }
