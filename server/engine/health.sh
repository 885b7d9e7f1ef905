# What the script of a health check may call. Each says a line in the log; what was said last stays with the machine.
__fairlead_health() {
	local name=$1 text=$2
	text=${text//$'\n'/ }
	set_octopusvariable "Fairlead.Health.$name" "${text:0:500}"
}
echo_warning() {
	write_warning "$*"
	__fairlead_health Warning "${*:-It warns without a word.}"
}
echo_error() {
	write_error "$*"
	__fairlead_health Error "${*:-It says an error without a word.}"
}
fail_healthcheck() {
	echo_error "${*:-The health check failed.}"
	exit 1
}
